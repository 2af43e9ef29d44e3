#pragma once

#include <chrono>

#include "common/base/instant.h"

namespace tillsyn::admin {

// This machine's clock, whole seconds.
inline Instant system_time() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

}  // namespace tillsyn::admin
