#pragma once

#include <optional>

#include "common/base/result.h"

namespace tillsyn::gate {

// Where the pipeline itself contradicts the verdict; null if it does not. What cannot be seen counts as the worse.
//   "camera_held"  a camera is open although no view runs
//   "light_dark"   a view runs and the light does not shine (nullopt: the board has none)
// Pure. Threads: reentrant.
const char* disagreement(bool view_runs, const Result<bool>& camera_held, const Result<std::optional<bool>>& light_lit);

}  // namespace tillsyn::gate
