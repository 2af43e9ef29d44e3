#include "firmware/ipc/rate_limiter.h"

#include <algorithm>

namespace tillsyn::ipc {
namespace {

constexpr Rate kMessages{1000, 1000};
constexpr Rate kBytes{8.0 * 1024 * 1024, 8.0 * 1024 * 1024};

Rate widened(Rate rate, double margin) { return {rate.per_second * margin, rate.burst * margin}; }

}  // namespace

bool TokenBucket::take(double amount, TimePoint now) {
  if (last_ != TimePoint{} && now > last_) {
    const std::chrono::duration<double> passed = now - last_;
    tokens_ = std::min(rate_.burst, tokens_ + passed.count() * rate_.per_second);
  }
  last_ = std::max(last_, now);
  if (amount > tokens_) return false;
  tokens_ -= amount;
  return true;
}

RateLimiter::RateLimiter(double margin) : messages_(widened(kMessages, margin)), bytes_(widened(kBytes, margin)) {}

bool RateLimiter::take(std::size_t bytes, TokenBucket::TimePoint now) {
  return messages_.take(1, now) && bytes_.take(static_cast<double>(bytes), now);
}

}  // namespace tillsyn::ipc
