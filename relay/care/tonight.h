#pragma once

#include <functional>
#include <string>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// Every supervision (supervisions.h) whose window is open within [now − 24 h, now + 36 h), in groups that `may_see`
// allows, by the relay's reckoning:
// [{"resident","group","hub","window":{"id","date"},"start","end","in_force","reason",
// "outcome":{"type","order","time"} or null}], by start; `outcome` also names a try in vain. The app counts for itself;
// this is for lists.
Result<Json> tonight(Provider& provider, Instant now, const std::function<bool(const std::string& group)>& may_see);

}  // namespace tillsyn::care
