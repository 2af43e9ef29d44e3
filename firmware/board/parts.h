#pragma once

#include <memory>

#include "common/base/result.h"
#include "firmware/board/button.h"
#include "firmware/board/clock.h"
#include "firmware/board/description.h"
#include "firmware/board/key_store.h"
#include "firmware/board/light.h"
#include "firmware/board/watchdog.h"

// Makes a board's parts from its description. A kind that this build does not have is kRefused "board": the bench's
// parts exist only where TILLSYN_BOARD is bench. Threads: reentrant.
namespace tillsyn::board {

Result<std::unique_ptr<ClockSource>> make_clock_source(const BoardDescription& board);
Result<std::unique_ptr<Button>> make_button(const BoardDescription& board);
Result<std::unique_ptr<Light>> make_light(const BoardDescription& board);
Result<std::unique_ptr<Watchdog>> make_watchdog(const BoardDescription& board);

// `state_directory`: where a key that is a file lies.
Result<std::unique_ptr<KeyPlace>> make_key_place(const BoardDescription& board, const std::string& state_directory);

}  // namespace tillsyn::board
