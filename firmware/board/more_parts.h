#pragma once

#include <memory>

#include "common/base/result.h"
#include "firmware/board/button.h"
#include "firmware/board/clock.h"
#include "firmware/board/description.h"
#include "firmware/board/light.h"

// What the board chosen at build time adds to the parts every board has: bench/bench_parts.cpp on the bench,
// more_parts_none.cpp on every other. A null pointer is a kind that is not added.
namespace tillsyn::board {

Result<std::unique_ptr<ClockSource>> make_more_clock_source(const ClockDescription& clock);
Result<std::unique_ptr<Button>> make_more_button(const ButtonDescription& button);
Result<std::unique_ptr<Light>> make_more_light(const LightDescription& light);

}  // namespace tillsyn::board
