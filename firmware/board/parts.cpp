#include "firmware/board/parts.h"

#include "firmware/board/chrony_clock.h"
#include "firmware/board/more_parts.h"
#include "firmware/board/tpm_key_place.h"

namespace tillsyn::board {
namespace {

template <typename Part>
Result<std::unique_ptr<Part>> must_exist(Result<std::unique_ptr<Part>> part, const std::string& kind) {
  if (part && !*part) return refused("board", "this build has no kind \"" + kind + "\"");
  return part;
}

}  // namespace

Result<std::unique_ptr<ClockSource>> make_clock_source(const BoardDescription& board) {
  if (board.clock.kind == "kernel") return std::unique_ptr<ClockSource>(new KernelClockSource());
  if (board.clock.kind == "chrony") return ChronyClockSource::open(board.clock.path);
  return must_exist(make_more_clock_source(board.clock), board.clock.kind);
}

Result<std::unique_ptr<Button>> make_button(const BoardDescription& board) {
  if (board.button.kind == "evdev") return EvdevButton::open(board.button.path, board.button.key);
  if (board.button.kind == "none") return std::unique_ptr<Button>(new NoButton());
  return must_exist(make_more_button(board.button), board.button.kind);
}

Result<std::unique_ptr<Light>> make_light(const BoardDescription& board) {
  if (board.light.kind == "led") return LedLight::open(board.light.path);
  if (board.light.kind == "none") return std::unique_ptr<Light>(new NoLight());
  return must_exist(make_more_light(board.light), board.light.kind);
}

Result<std::unique_ptr<Watchdog>> make_watchdog(const BoardDescription& board) {
  if (board.watchdog.kind == "device") return KernelWatchdog::open(board.watchdog.path);
  if (board.watchdog.kind == "none") return std::unique_ptr<Watchdog>(new NoWatchdog());
  return must_exist(Result<std::unique_ptr<Watchdog>>(nullptr), board.watchdog.kind);
}

Result<std::unique_ptr<KeyPlace>> make_key_place(const BoardDescription& board, const std::string& state_directory) {
  if (board.key.kind == "file") return std::unique_ptr<KeyPlace>(new FileKeyPlace(state_directory));
  if (board.key.kind == "tpm") return std::unique_ptr<KeyPlace>(new TpmKeyPlace(board.key.tcti));
  return must_exist(Result<std::unique_ptr<KeyPlace>>(nullptr), board.key.kind);
}

}  // namespace tillsyn::board
