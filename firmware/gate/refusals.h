#pragma once

#include <string>

#include "common/orders/device_documents.h"
#include "common/orders/order.h"

namespace tillsyn::gate {

// An event about an order: its hash, whom it is about, and who signed it. `who` stays empty when `reason` says that it
// was refused before its signatures had been found good: a name that anybody can write is no name. Threads: reentrant,
// both.
orders::Event event_about(const char* kind, const orders::Order& order, const std::string& reason);

// Under what refusals of this event are counted together: the proven signer, or nobody.
std::string signer_key(const orders::Event& event);

}  // namespace tillsyn::gate
