#include "relay/api/refused_logins.h"

namespace tillsyn::api {

Result<void> RefusedLogins::enter(relay_ledger::Ledger& ledger, const std::string& reason, Instant now) {
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
  const Json details = left_out_ > 0 ? Json{{"left_out_before", left_out_}} : Json();
  TILLSYN_CHECK(ledger.append_seen({.what = "login_refused", .reason = reason, .details = details}, now));
  left_out_ = 0;
  return {};
}

}  // namespace tillsyn::api
