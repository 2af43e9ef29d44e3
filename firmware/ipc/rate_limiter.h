#pragma once

#include <chrono>
#include <cstddef>

namespace tillsyn::ipc {

struct Rate {
  double per_second;
  double burst;
};

// A token bucket, full at first. Pure: the caller says what time it is. Threads: thread-bound.
class TokenBucket {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit TokenBucket(Rate rate) : rate_(rate), tokens_(rate.burst) {}

  // Takes `amount` if it is there. An amount above the burst is never there. A time before an earlier one adds nothing.
  bool take(double amount, TimePoint now);

 private:
  Rate rate_;
  double tokens_;
  TimePoint last_{};
};

// Messages and bytes of one direction. What a peer may do at most: three views, each 30 frames a second, bursts of
// orders after a long time apart, a root list and a bundle.
class RateLimiter {
 public:
  // `margin` widens both bounds: the receiver's are twice the sender's, so a peer that paces itself never meets them.
  explicit RateLimiter(double margin);

  bool take(std::size_t bytes, TokenBucket::TimePoint now);

 private:
  TokenBucket messages_;
  TokenBucket bytes_;
};

}  // namespace tillsyn::ipc
