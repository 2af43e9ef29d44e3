#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "relay/care/provider.h"

namespace tillsyn::webhooks {

// Messages to the provider's own systems, by Standard Webhooks (standardwebhooks.com): a queue in the provider's
// database, a secret for each system. A message is queued in the transaction of what it tells, so none is lost or made
// twice; it is sent at least once, and whoever gets it again knows it by its `webhook-id`. It holds ids only.
// Threads: thread-bound, but for `signature`.

inline constexpr std::size_t kMaxIntegrations = 16;

// A system that is told.
struct Integration {
  std::string id;  // b64(16)
  std::string url;
  std::optional<std::string> ca;  // PEM; nullopt: the system's authorities
};

// Reads {"url","ca"}; the URL must be https, without user or fragment.
Result<Integration> read_integration(const Json& value);

// Keeps it and makes its secret, "whsec_…", which is told this once. kConflict "too_many".
Result<std::string> add(care::Provider& provider, const Integration& integration, Instant now);
Result<std::vector<Integration>> list(care::Provider& provider);
// It is told nothing more, what waits for it included. kNotFound "no_integration".
Result<void> end(care::Provider& provider, const std::string& id, Instant now);

// Queues {"type","timestamp","data"} for every integration. Called inside the transaction of what it tells.
Result<void> enqueue(care::Provider& provider, const std::string& type, const Json& data, Instant now);

// What is to be sent now, with all that is needed for it.
struct Delivery {
  std::string id;  // the webhook-id, the same at every try
  Integration to;
  std::string secret;
  std::string body;
};

// The oldest of each integration whose time has come: one at a time, in their sequence until one fails.
Result<std::vector<Delivery>> due(care::Provider& provider, Instant now);

// What came of a try: the HTTP status, or nullopt if there was no answer. Any 2xx is done; everything else is tried
// again after kRetries, and then, or at once with 410, it is a dead letter, entered in the log as `webhook_dead`.
Result<void> tried(care::Provider& provider, const std::string& id, const std::optional<long>& status, Instant now);
inline constexpr std::chrono::seconds kRetries[] = {
    std::chrono::seconds(5), std::chrono::seconds(15), std::chrono::minutes(1),
    std::chrono::minutes(5), std::chrono::minutes(30), std::chrono::hours(2),
    std::chrono::hours(5),   std::chrono::hours(10),   std::chrono::hours(24),
};

// What could not be delivered, the newest first: at most `limit` of those made before the `before`-th message (nullopt:
// of all), each {"id","integration","body","made","tries","answer"}.
struct DeadLetter {
  std::uint64_t n = 0;
  Json letter;
};
Result<std::vector<DeadLetter>> dead_letters(care::Provider& provider, std::optional<std::uint64_t> before,
                                             std::size_t limit);
// Sends a dead letter again, from now on. kNotFound "no_delivery".
Result<void> send_again(care::Provider& provider, const std::string& id, Instant now);

// The header `webhook-signature`: "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body". kMalformed if the
// secret is none.
Result<std::string> signature(const std::string& secret, const std::string& id, std::int64_t timestamp,
                              const std::string& body);

}  // namespace tillsyn::webhooks
