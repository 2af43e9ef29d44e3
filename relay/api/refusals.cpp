#include "relay/api/refusals.h"

namespace tillsyn::api {

Result<void> Refusals::enter(relay_ledger::Ledger& ledger, relay_ledger::Ledger::Seen seen, Instant now) {
  const Instant minute = std::chrono::floor<std::chrono::minutes>(now);
  if (minute != minute_) {
    minute_ = minute;
    entered_ = 0;
  }
  if (entered_ >= kMostAMinute) {
    ++left_out_;
    return {};
  }
  ++entered_;
  if (left_out_ > 0) seen.details = {{"left_out_before", left_out_}};
  TILLSYN_CHECK(ledger.append_seen(seen, now));
  left_out_ = 0;
  return {};
}

}  // namespace tillsyn::api
