#pragma once

#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "relay/care/provider.h"
#include "relay/care/supervisions.h"

namespace tillsyn::care {

// Every supervision whose window is open within [now − 24 h, now + 36 h), in groups that `may_see` allows, by the
// relay's reckoning. The app counts for itself; this is for lists.
Result<std::vector<Supervision>> tonight(Provider& provider, Instant now, const Groups& may_see);

// One of them: {"resident","group","hub","window":{"id","date"},"start","end","in_force","reason",
// "outcome":{"type","order","time"} or null}; `outcome` also names a try in vain.
Json tonight_json(const orders::OrderBook& book, const Supervision& one, Instant now);

}  // namespace tillsyn::care
