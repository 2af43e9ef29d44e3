#pragma once

#include <cstdint>
#include <functional>

#include "firmware/link/time.h"

namespace tillsyn::link {

// How long to wait after the nth failure in a row: doubling from 1 s to 30 s, and of that a random part between half
// and the whole, so that hubs which lost a relay together do not come back together. Threads: thread-bound.
class Backoff {
 public:
  static constexpr Milliseconds kFirst{1000};
  static constexpr Milliseconds kLongest{30000};

  // `random` gives any 32 bits.
  explicit Backoff(std::function<std::uint32_t()> random) : random_(std::move(random)) {}

  void succeeded() { step_ = kFirst; }
  Milliseconds failed();

 private:
  std::function<std::uint32_t()> random_;
  Milliseconds step_ = kFirst;
};

}  // namespace tillsyn::link
