#include "firmware/gate/take_down.h"

namespace tillsyn::gate {

TakeDown::Step TakeDown::judge(const orders::Order* release, const board::ClockReading& clock,
                               std::int64_t acknowledged) {
  if (release == nullptr) warning_.reset();
  if (release == nullptr || !clock.is_trusted()) return Step::kNothing;
  const auto age = clock.utc - release->payload.common.signed_at;
  if (age < kLife - kWarnedBefore) return Step::kNothing;
  if (!warning_) return Step::kWarn;
  return age >= kLife && acknowledged >= *warning_ ? Step::kDestroy : Step::kNothing;
}

}  // namespace tillsyn::gate
