#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/crypto/ed25519.h"
#include "common/ledger/note.h"
#include "common/orders/names.h"
#include "common/orders/trust_envelope.h"

namespace tillsyn::orders {

constexpr std::size_t kMaxRootListBytes = 256 * 1024;
constexpr std::chrono::days kMaxRootListLife{400};

struct Issuer {
  std::string issuer;
  std::string client_id;
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string jwks_uri;
  std::optional<std::string> ca;  // PEM; none: the system's
  std::vector<std::string> acr;   // any of them will do
  std::string person_claim;
  std::chrono::seconds max_auth_age{};
  std::chrono::seconds new_key_delay{};
  std::vector<Role> roles;  // that its people may have

  bool may_have(Role role) const;
};

// A first manager or rights administrator, in every group.
struct Granter {
  Person person;
  Role role = Role::kManager;
};

struct Provider {
  std::string id;
  std::string name;
  std::vector<std::string> issuers;  // each listed in RootList::issuers
  std::vector<Granter> granters;
  ledger::VerifierKey ledger_key;  // its name is the ledger's origin
  std::vector<std::string> app_origins;

  bool has_issuer(std::string_view issuer) const;
};

struct Relay {
  std::string host;  // "name:port"
  std::optional<std::string> ca;
};

// Who is who, from the municipality's offline keys (PROTOCOL.md, "Root list").
struct RootList {
  std::int64_t version = 0;
  Instant issued_at;
  Instant expires_at;  // exclusive
  std::vector<Issuer> issuers;
  std::vector<Provider> providers;
  std::vector<Relay> relays;
  std::vector<crypto::Ed25519PublicKey> bundle_keys;
  std::int64_t order_floor = 1;
  std::int64_t bundle_floor = 1;

  // nullptr if not listed. Borrowed.
  const Issuer* issuer(std::string_view issuer) const;
  const Provider* provider(std::string_view id) const;
};

// Form and inner sense: no name twice, every issuer named is listed, granters of the provider's issuers in roles these
// may have, no app origin on a relay. Reason: "malformed", or kWaiting "unknown_format".
Result<RootList> parse_root_list(std::string_view payload);
std::string format_root_list(const RootList& list);  // canonical payload, unsigned

// The root list in an envelope, if enough keys of the fleet root signed it; kRefused "bad_signature" otherwise. Says
// nothing of its age.
Result<RootList> open_root_list(std::string_view envelope, const FleetRoot& root);

// Whether `next` may follow `held` (nullptr: none): refused "root_list_older" if its version is lower, "slot_taken" if
// it is equal and the payload another, accepted and without effect if it is the same list.
Result<void> check_successor(const RootList* held, const RootList& next);

// Refused "root_list_expired" from expires_at on.
Result<void> check_current(const RootList& list, Instant now);

}  // namespace tillsyn::orders
