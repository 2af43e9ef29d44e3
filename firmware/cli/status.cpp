#include <iostream>
#include <memory>
#include <string>

#include "firmware/cli/ask_link.h"
#include "firmware/cli/commands.h"
#include "firmware/cli/faults.h"

namespace tillsyn::cli {
namespace {

struct StatusOptions {
  bool json = false;
  std::string socket = kControlSocket;
};

std::string word(const Json& value, const char* otherwise) {
  return value.is_string() ? value.get<std::string>() : otherwise;
}

// Members of gate's check (firmware/gate/check.h) are read one by one: an older gate says less.
const Json& member(const Json& object, const char* name) {
  static const Json kNothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : kNothing;
}

void line(const char* label, const std::string& text) { std::cout << label << text << '\n'; }

void print_window(const Json& check) {
  if (member(check, "open") == true) return line("window    open until ", word(member(check, "until"), "?"));
  line("window    closed: ",
       word(member(check, "reason"), "unknown") + ", next " + word(member(check, "next"), "none known"));
}

void print_camera(const Json& camera) {
  const std::string identifier = word(member(camera, "identifier"), "not assigned");
  line("camera    ", word(member(camera, "id"), "?") + " (" + identifier + "), " +
                         (member(camera, "there") == true ? "there" : "MISSING"));
}

std::string view_text(const Json& view) {
  if (!view.is_object()) return "none";
  const std::string what = word(member(view, "kind"), "?") == "view_started" ? "running since " : "ended ";
  const Json& reason = member(view, "reason");
  return what + word(member(view, "time"), "?") + (reason.is_string() ? ", " + word(reason, "") : "");
}

void print_check(const Json& check) {
  const Json& bundle = member(check, "bundle");
  line("state     ", word(member(check, "state"), "?") + ", resident " + word(member(check, "resident"), "none"));
  line("clock     ", word(member(check, "clock"), "?") + ", " + word(member(check, "time"), "?"));
  line("bundle    ", bundle.is_object() ? "of " + word(member(bundle, "issued_at"), "?") + ", good until " +
                                              word(member(bundle, "expires_at"), "?")
                                        : "none");
  for (const Json& camera : member(check, "cameras")) print_camera(camera);
  line("light     ", word(member(check, "light"), "?"));
  line("button    ", member(check, "button") == true ? "held last " + word(member(check, "button_held_at"), "never")
                                                     : "none on this board");
  print_window(check);
  line("last view ", view_text(member(check, "last_view")));
  const Json& free = member(check, "free_bytes");
  line("disk      ",
       free.is_number_unsigned() ? std::to_string(free.get<std::uint64_t>() >> 20) + " MiB free" : "unknown");
  for (const Json& fault : member(check, "faults")) line("fault: ", fault_text(word(fault, "?")));
}

// What the gate last told the relay: all there is when it does not answer now.
void print_status(const Json& gate) {
  for (const char* name : {"state", "clock", "resident"}) {
    if (member(gate, name).is_string()) line((std::string(name) + ": ").c_str(), word(gate[name], ""));
  }
  for (const Json& fault : member(gate, "faults")) line("fault: ", fault_text(word(fault, "?")));
}

void print(const Json& answer) {
  line("gate      ", member(answer, "gate") == true ? "running" : "away");
  line("hub       ", word(member(answer, "hub"), "unknown"));
  line("provider  ", word(member(answer, "provider"), "not enrolled"));
  line("relay     ",
       word(member(answer, "relay"), "none known") + ", " + word(member(answer, "trouble"), "no trouble"));
  std::cout << "streams   " << member(answer, "streams") << "\nwaiting   " << member(answer, "waiting") << '\n';
  const Json& check = member(answer, "check");
  if (check.is_object()) return print_check(check);
  print_status(member(answer, "status"));
}

int run(const StatusOptions& options) {
  const auto answer = ask_link(options.socket, {{"do", "check"}, {"light", false}});
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
  CLI::App* command =
      app.add_subcommand("status", "How the hub is: gate, relay, camera, light, clock, windows, faults");
  const auto options = std::make_shared<StatusOptions>();
  command->add_flag("--json", options->json)->description("As JSON, on one line");
  command->add_option("--control-socket", options->socket, "Where tillsyn-link listens")->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace tillsyn::cli
