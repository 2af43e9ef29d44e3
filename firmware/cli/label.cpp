#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>

#include "common/base/json.h"
#include "firmware/board/parts.h"
#include "firmware/cli/commands.h"

namespace tillsyn::cli {
namespace {

struct LabelOptions {
  std::string board = "/etc/tillsyn/board.json";
  std::string gate_state = "/var/lib/tillsyn-gate";
  bool as_json = false;
};

// The key is read by its own user alone: root, who asks on an installed hub, becomes that user.
bool become_owner(const std::string& directory) {
  struct stat about {};
  if (geteuid() != 0) return true;
  return stat(directory.c_str(), &about) == 0 && setegid(about.st_gid) == 0 && seteuid(about.st_uid) == 0;
}

int run(const LabelOptions& options) {
  const auto fail = [](const std::string& why) { return std::cerr << "no label: " << why << '\n', 1; };
  const auto board = board::load_board(options.board);
  if (!board) return fail(board.error().message);
  const auto place = board::make_key_place(*board, options.gate_state);
  if (!place) return fail(place.error().message);
  if (!become_owner(options.gate_state)) return fail("run it as root, or as the gate's user");
  const auto has_key = (*place)->has_key();
  if (!has_key) return fail(has_key.error().message);
  if (!*has_key) return fail("this hub has no key yet; start tillsyn-gate once");
  const auto keys = (*place)->open();
  if (!keys) return fail(keys.error().message);
  const Json device_key = (*keys)->device_key().to_jwk();
  if (options.as_json) {
    std::cout << canonical_json({{"hub", (*keys)->hub()}, {"device_key", device_key}}) << '\n';
  } else {
    std::cout << "hub         " << (*keys)->hub() << "\ndevice key  " << canonical_json(device_key) << '\n';
  }
  return 0;
}

}  // namespace

void add_label(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("label", "What the hub's label says: its name and its public key");
  const auto options = std::make_shared<LabelOptions>();
  command->add_option("--board", options->board, "The board's description")->capture_default_str();
  command->add_option("--gate-state", options->gate_state, "The gate's state directory")->capture_default_str();
  command->add_flag("--json", options->as_json, "One line of JSON");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace tillsyn::cli
