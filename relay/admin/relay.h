#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/crypto/ed25519.h"
#include "common/orders/root_list.h"
#include "relay/admin/fetch.h"

namespace tillsyn::admin {

// A standing order or outcome as the relay hands it out.
struct HandedOrder {
  std::string order;  // JSON text
  std::uint64_t seq = 0;
  Instant time;                            // both of its log entry, as the relay says
  std::optional<std::string> countersign;  // envelope, JSON text
};

// What the municipality's machine asks of a relay about one provider. Nothing of what comes back is believed.
// Failures: kUnavailable or kRefused, with a sentence. Threads: thread-bound.
class Relay {
 public:
  virtual ~Relay() = default;

  virtual Result<std::string> checkpoint() = 0;  // the signed note
  // Texts of at most `count` entries from `from` on; fewer are given where the relay likes smaller pages.
  virtual Result<std::vector<std::string>> entries(std::uint64_t from, std::uint64_t count) = 0;
  virtual Result<std::vector<HandedOrder>> orders() = 0;
};

// A relay of the root list by its address, "https://name:port".
struct RelayAddress {
  std::string url;                // without a slash at its end
  std::string host;               // as the root list spells it
  std::optional<std::string> ca;  // PEM
};

// kNotFound "relay" if the root list names no such relay.
Result<RelayAddress> find_relay(const orders::RootList& list, const std::string& url);

// A session of the trust machine's, opened with the bundle key.
Result<std::unique_ptr<Relay>> log_in(const RelayAddress& address, const std::string& provider,
                                      const crypto::Ed25519PrivateKey& bundle_key);

// Hands the relay a trust document; `name` is "root-list" or "bundle". A document that it holds already is success.
// Asked again, under the same Idempotency-Key, when the answer is lost.
Result<void> put_trust(const RelayAddress& address, const std::string& name, const std::string& envelope);

}  // namespace tillsyn::admin
