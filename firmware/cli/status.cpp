#include <iostream>
#include <memory>
#include <string>

#include "firmware/cli/ask_link.h"
#include "firmware/cli/commands.h"

namespace tillsyn::cli {
namespace {

struct StatusOptions {
  bool json = false;
  std::string socket = kControlSocket;
};

std::string word(const Json& value, const char* otherwise) {
  return value.is_string() ? value.get<std::string>() : otherwise;
}

// Link's answer in words; what it does not know is left out.
void print(const Json& answer) {
  const Json nothing = Json::object();
  const Json& gate = answer["status"].is_object() ? answer["status"] : nothing;
  std::cout << "gate      " << (answer["gate"] == true ? "running" : "away") << '\n'
            << "hub       " << word(answer["hub"], "unknown") << '\n'
            << "provider  " << word(answer["provider"], "not enrolled") << '\n'
            << "relay     " << word(answer["relay"], "none known") << ", " << word(answer["trouble"], "no trouble")
            << '\n'
            << "streams   " << answer["streams"] << '\n'
            << "waiting   " << answer["waiting"] << '\n';
  for (const char* name : {"state", "clock", "resident"}) {
    if (gate.contains(name) && gate[name].is_string())
      std::cout << name << ": " << gate[name].get<std::string>() << '\n';
  }
  for (const Json& fault : gate.value("faults", Json::array())) std::cout << "fault: " << word(fault, "?") << '\n';
}

int run(const StatusOptions& options) {
  const auto answer = ask_link(options.socket, {{"do", "status"}});
  if (!answer) {
    std::cerr << answer.error().reason << ": " << answer.error().message << '\n';
    return 1;
  }
  if (options.json) {
    std::cout << answer->dump() << '\n';
  } else {
    print(*answer);
  }
  return 0;
}

}  // namespace

void add_status(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("status", "How the hub is, as far as tillsyn-link knows");
  const auto options = std::make_shared<StatusOptions>();
  command->add_flag("--json", options->json)->description("As JSON, on one line");
  command->add_option("--control-socket", options->socket, "Where tillsyn-link listens");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace tillsyn::cli
