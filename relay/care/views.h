#pragma once

#include <string>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/ledger/entry.h"
#include "common/orders/order.h"
#include "relay/care/provider.h"
#include "relay/care/trust_store.h"

namespace tillsyn::care {

struct AcceptedView {
  orders::Order order;
  ledger::Entry entry;
};

// Judges a view by the relay's clock, as far as the relay can: who, right, addressee, bundle. Whether the camera may
// look is for the hub. Accepted means that the log entry is durable, so that an offer may leave. A refusal is entered
// too. The signer must be `viewer`; else "person_mismatch". A view that has been entered before is refused, "replayed".
Result<AcceptedView> accept_view(Provider& provider, const Trusted& trusted, const std::string& order,
                                 const orders::Person& viewer, Instant now);

// The offer (PROTOCOL.md) as JSON text for a hub with this status: the newest checkpoint, inclusion in it, and
// consistency with it from the hub's own, the view's, and the one in the bundle that the hub holds (ours, if it is the
// same).
Result<std::string> make_offer(Provider& provider, const Trusted& trusted, const std::string& order, std::uint64_t seq,
                               const Json& status);

}  // namespace tillsyn::care
