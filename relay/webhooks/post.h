#pragma once

#include <optional>

#include "common/base/instant.h"
#include "relay/webhooks/queue.h"

namespace tillsyn::webhooks {

// Sends it once, over HTTPS with the certificate verified, no redirects; at most 15 s. The status, nullopt if nothing
// came back. Threads: thread-safe; waits for the network.
std::optional<long> post(const Delivery& delivery, Instant now);

}  // namespace tillsyn::webhooks
