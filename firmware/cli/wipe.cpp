#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "firmware/board/parts.h"
#include "firmware/cli/ask_link.h"
#include "firmware/cli/commands.h"
#include "firmware/files/files.h"
#include "firmware/ipc/connection.h"

namespace tillsyn::cli {
namespace {

struct WipeOptions {
  std::string board = "/etc/tillsyn/board.json";
  std::string gate_state = "/var/lib/tillsyn-gate";
  std::string link_state = "/var/lib/tillsyn-link";
  std::string socket = kControlSocket;
  std::string gate_socket = "/run/tillsyn/gate.sock";
  bool sure = false;
};

Result<std::vector<std::string>> files_in(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  if (!std::filesystem::exists(directory, error)) return paths;
  std::filesystem::recursive_directory_iterator entries(directory, error);
  for (; !error && entries != std::filesystem::end(entries); entries.increment(error)) {
    if (entries->is_regular_file(error)) paths.push_back(entries->path().string());
  }
  if (error) return Error{Code::kIo, "wipe", directory + ": " + error.message()};
  return paths;
}

// Keys first: without them the rest is worth nothing, should the power go in the middle.
Result<std::size_t> wipe(const WipeOptions& options) {
  TILLSYN_TRY(board, board::load_board(options.board));
  TILLSYN_TRY(place, board::make_key_place(board, options.gate_state));
  const auto key_gone = place->destroy();  // a TPM that does not answer keeps nothing else
  TILLSYN_CHECK(files::destroy(options.link_state + "/link.key"));
  std::size_t count = 0;
  for (const std::string& directory : {options.gate_state, options.link_state}) {
    TILLSYN_TRY(paths, files_in(directory));
    for (const std::string& path : paths) TILLSYN_CHECK(files::destroy(path));
    count += paths.size();
  }
  if (!key_gone) return key_gone.error().within("all files are wiped, but not the device key");
  return count;
}

int run(const WipeOptions& options) {
  const auto fail = [](const std::string& why) { return std::cerr << "not wiped: " << why << '\n', 1; };
  if (!options.sure) return fail("this destroys the hub's keys and log for good; say --yes");
  if (const auto link = ask_link(options.socket, {{"do", "status"}}); link || link.error().reason != "link_away") {
    return fail("the hub's programs are running; stop them first");
  }
  if (ipc::Connection::connect(options.gate_socket)) return fail("the gate is running; stop it first");
  const auto count = wipe(options);
  if (!count) return fail(count.error().message);
  std::cout << "wiped: keys and " << *count << " files\n";
  return 0;
}

}  // namespace

void add_wipe(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("wipe", "Destroy this hub's keys, orders and log");
  const auto options = std::make_shared<WipeOptions>();
  command->add_option("--board", options->board, "The board's description")->capture_default_str();
  command->add_option("--gate-state", options->gate_state, "The gate's state directory")->capture_default_str();
  command->add_option("--link-state", options->link_state, "The link's state directory")->capture_default_str();
  command->add_option("--control-socket", options->socket, "Where tillsyn-link would listen")->capture_default_str();
  command->add_option("--gate-socket", options->gate_socket, "Where tillsyn-gate would listen")->capture_default_str();
  command->add_flag("--yes", options->sure)->description("Yes, for good");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace tillsyn::cli
