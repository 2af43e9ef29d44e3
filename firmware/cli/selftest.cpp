#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "firmware/cli/ask_link.h"
#include "firmware/cli/commands.h"
#include "firmware/cli/faults.h"

namespace tillsyn::cli {
namespace {

struct SelftestOptions {
  bool json = false;
  std::string socket = kControlSocket;
};

// Every part that a view needs, and the faults that speak against it.
struct Part {
  const char* name;
  std::vector<std::string> against;
};

const std::vector<Part>& parts() {
  static const std::vector<Part> kParts = {
      {"gate", {"gate_away", "no_fuse", "keys_destroyed"}},
      {"relay", {"not_enrolled", "relay_away"}},
      {"clock",
       {"clock_untrusted", "clock_never_synchronised", "clock_stepped", "clock_coasted_too_long",
        "clock_before_floor"}},
      {"trust", {"bundle_missing", "bundle_expired", "bundle_old", "root_list_expired", "hub_revoked"}},
      {"camera", {"camera_missing", "camera_fault"}},
      {"light", {"light_fault"}},
      {"disk", {"disk_full", "store_fault"}},
  };
  return kParts;
}

std::vector<std::string> faults_in(const Json& answer) {
  std::vector<std::string> out;
  const auto is_text = [&](const char* name) { return answer.value(name, Json()).is_string(); };
  if (!is_text("provider")) out.emplace_back("not_enrolled");
  if (!is_text("relay") || is_text("trouble")) out.emplace_back("relay_away");
  const Json check = answer.value("check", Json());
  if (!check.is_object()) out.emplace_back("gate_away");
  if (!check.is_object()) return out;
  for (const Json& fault : check.value("faults", Json::array())) {
    if (fault.is_string()) out.push_back(fault.get<std::string>());
  }
  return out;
}

std::vector<std::string> those_of(const Part& part, const std::vector<std::string>& faults) {
  std::vector<std::string> out;
  for (const auto& fault : faults) {
    if (std::find(part.against.begin(), part.against.end(), fault) != part.against.end()) out.push_back(fault);
  }
  return out;
}

void print(const std::vector<std::string>& faults) {
  std::vector<std::string> rest = faults;
  for (const Part& part : parts()) {
    const auto against = those_of(part, faults);
    std::cout << (against.empty() ? "ok     " : "FAULT  ") << part.name << '\n';
    for (const auto& fault : against) {
      std::cout << "       " << fault_text(fault) << '\n';
      std::erase(rest, fault);
    }
  }
  for (const auto& fault : rest) std::cout << "FAULT  " << fault_text(fault) << '\n';
}

int run(const SelftestOptions& options) {
  const auto answer = ask_link(options.socket, {{"do", "check"}, {"light", true}});
  if (!answer) {
    std::cerr << answer.error().reason << ": " << answer.error().message << '\n';
    return 1;
  }
  const auto faults = faults_in(*answer);
  if (options.json) {
    std::cout << Json{{"ok", faults.empty()}, {"faults", faults}, {"check", answer->value("check", Json())}}.dump()
              << '\n';
  } else {
    print(faults);
  }
  return faults.empty() ? 0 : 1;
}

}  // namespace

void add_selftest(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("selftest", "Try the hub's parts; lights the light for a moment, opens no camera");
  const auto options = std::make_shared<SelftestOptions>();
  command->add_flag("--json", options->json)->description("As JSON, on one line");
  command->add_option("--control-socket", options->socket, "Where tillsyn-link listens")->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace tillsyn::cli
