#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/orders/device_documents.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// What hubs sign, each envelope as it came (PROTOCOL.md, "Device payloads").
struct Documents {
  std::vector<Json> answers;
  std::vector<Json> receipts;
  std::vector<Json> countersigns;
  std::vector<Json> events;
};

// Keeps every document that the hub's device key has signed, with its log entry, all durable when it returns; one held
// already is taken again without effect. Events are kept in their chain only: the first that does not follow the newest
// one held, and all after it, are left. Documents that are not the hub's, or not well formed, are left out and entered
// as `document_refused`. `changed` becomes true when orders in force or receipts changed.
Result<void> record_documents(Provider& provider, const std::string& hub, const crypto::P256PublicKey& device_key,
                              const Documents& documents, Instant now, bool& changed);

// The newest event that is held with all before it; 0: none.
Result<std::int64_t> newest_event(Provider& provider, const std::string& hub);

}  // namespace tillsyn::care
