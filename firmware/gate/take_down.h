#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/orders/order.h"
#include "firmware/board/clock.h"

namespace tillsyn::gate {

// When the device key of a released hub is destroyed for want of a button (INS-6): 72 h after the release was signed,
// if no assignment has cancelled it, and if the relay has had the warning that comes a day before; a hub that nobody
// hears keeps its key, and its camera closed. Counted by the trusted clock alone. Pure but for what it has been told.
// Threads: thread-bound.
class TakeDown {
 public:
  static constexpr std::chrono::hours kLife{72};
  static constexpr std::chrono::hours kWarnedBefore{24};

  enum class Step { kNothing, kWarn, kDestroy };

  // `release`: what has taken the hub out of service, null if nothing has. `acknowledged`: the newest event that is
  // durable at the relay.
  Step judge(const orders::Order* release, const board::ClockReading& clock, std::int64_t acknowledged);

  // The warning was logged as event `n`.
  void warned(std::int64_t n) { warning_ = n; }

 private:
  std::optional<std::int64_t> warning_;
};

}  // namespace tillsyn::gate
