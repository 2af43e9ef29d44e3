#include <iostream>
#include <memory>
#include <string>

#include "firmware/cli/ask_link.h"
#include "firmware/cli/commands.h"

namespace tillsyn::cli {
namespace {

struct EnrolOptions {
  std::string code;
  std::string relay;
  std::string socket = kControlSocket;
};

int run(EnrolOptions options) {
  if (options.code == "-") std::getline(std::cin, options.code);
  const auto answer = ask_link(
      options.socket,
      {{"do", "enrol"}, {"code", options.code}, {"relay", options.relay.empty() ? Json() : Json(options.relay)}});
  if (!answer) {
    std::cerr << "not enrolled: " << answer.error().reason << ": " << answer.error().message << '\n';
    return 1;
  }
  std::cout << answer->dump() << '\n';
  return 0;
}

}  // namespace

void add_enrol(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("enrol", "Trade a one-time code for the right to talk to the relay");
  const auto options = std::make_shared<EnrolOptions>();
  command->add_option("--code", options->code, "The code; - reads it from standard input")->required();
  command->add_option("--relay", options->relay, "name:port, for a hub that holds no root list yet");
  command->add_option("--control-socket", options->socket, "Where tillsyn-link listens")->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace tillsyn::cli
