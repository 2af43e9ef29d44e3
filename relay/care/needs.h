#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// The orders that the hub lacks, JSON texts, each after those it stands on: its device order, assignment and acceptance
// or release; consent, schedule, pause and outcomes of its resident; the rights of everybody who signed them or may
// look there, and whatever has replaced rights that it was told of; every revoke. Where it holds an older version,
// those in between come before the newest, as it takes them one by one. What its slots (PROTOCOL.md, status) or its
// receipts show it to have, or to have refused, is left out; what waits there is said again only when something has
// been accepted since. Pure reading but for that.
Result<std::vector<std::string>> orders_for(Provider& provider, const std::string& hub, const Json& status,
                                            Instant now);

// The hubs to which this order, just accepted, may give something to say: those whose it is, those of its resident;
// none stands for every hub of the provider's (rights).
std::optional<std::vector<std::string>> hubs_concerned(const Provider& provider, const orders::Order& order);

}  // namespace tillsyn::care
