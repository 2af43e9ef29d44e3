#pragma once

#include <chrono>

namespace tillsyn::link {

// Waiting is measured on the steady clock; link never needs to know what time it is.
using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

}  // namespace tillsyn::link
