#pragma once

#include "common/base/result.h"
#include "common/civil/schedule.h"
#include "common/orders/payloads.h"

namespace tillsyn::orders {

// Whether a schedule keeps within what was consented to (PROTOCOL.md, "Consent bounds"); refused "beyond_consent"
// otherwise. Counted by the clock on the wall as if it never changed, so that the answer is one for all nights of the
// year; both must name the same time zone.
Result<void> check_within(const ConsentTerms& terms, const civil::Schedule& schedule);

}  // namespace tillsyn::orders
