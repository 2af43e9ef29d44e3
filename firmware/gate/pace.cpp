#include "firmware/gate/pace.h"

#include <algorithm>

namespace tillsyn::gate {
namespace {

constexpr std::size_t kMaxSent = 512;

}  // namespace

void Pace::sent(std::uint64_t ctr, Milliseconds capture) {
  if (sent_.size() == kMaxSent) sent_.pop_front();
  sent_.push_back({ctr, capture});
}

bool Pace::painted(std::uint64_t ctr, Milliseconds now) {
  while (sent_.size() > 1 && sent_[1].ctr <= ctr) sent_.pop_front();
  if (sent_.empty() || sent_.front().ctr > ctr) return false;
  const Milliseconds behind = now - sent_.front().capture;
  least_behind_ = std::min(least_behind_.value_or(behind), behind);
  if (behind - *least_behind_ > kMaxBehind) return lower(now);
  raise(now);
  return false;
}

void Pace::late(Milliseconds now) { lower(now); }

bool Pace::lower(Milliseconds now) {
  if (changed_ && now - *changed_ < kLowerEvery) return false;
  changed_ = now;
  kbit_ = std::max(kLeastKbit, kbit_ * 7 / 10);
  return true;
}

void Pace::raise(Milliseconds now) {
  if (!changed_) changed_ = now;
  if (now - *changed_ < kRaiseEvery || kbit_ == kMostKbit) return;
  changed_ = now;
  kbit_ = std::min(kMostKbit, kbit_ * 11 / 10);
}

}  // namespace tillsyn::gate
