#include "relay/webhooks/post.h"

#include "relay/identity/https.h"

namespace tillsyn::webhooks {

std::optional<long> post(const Delivery& delivery, Instant now) {
  const auto timestamp = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const auto signed_by = signature(delivery.secret, delivery.id, timestamp, delivery.body);
  if (!signed_by) return std::nullopt;
  const auto answer =
      identity::https_post(delivery.to.url, delivery.to.ca,
                           {"webhook-id: " + delivery.id, "webhook-timestamp: " + std::to_string(timestamp),
                            "webhook-signature: " + *signed_by},
                           delivery.body);
  return answer ? std::optional<long>(answer->status) : std::nullopt;
}

}  // namespace tillsyn::webhooks
