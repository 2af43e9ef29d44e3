#pragma once

#include <functional>
#include <string>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// Every supervision that starts or ends within [now − 24 h, now + 36 h) by the schedules in the book, in groups that
// `may_see` allows, by the relay's reckoning:
// [{"resident","group","hub","window":{"id","date"},"start","end","in_force",
// "reason","outcome":{"type","order","time"} or null}], by start. The app counts for itself; this is for lists and
// alarms. A later not-seen or unable outweighs completed; visit-taken outweighs those.
Result<Json> tonight(Provider& provider, Instant now, const std::function<bool(const std::string& group)>& may_see);

}  // namespace tillsyn::care
