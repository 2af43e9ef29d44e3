#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/jws.h"
#include "common/orders/names.h"
#include "common/orders/payloads.h"
#include "common/orders/root_list.h"

namespace tillsyn::orders {

constexpr std::size_t kMaxBundleBytes = 192 * 1024;
constexpr std::chrono::days kMaxBundleLife{7};

// A key of an identity provider and the time in which its tokens count.
struct IssuerKey {
  Json jwk;                     // public members only: kty kid crv x y n e alg use
  crypto::VerificationKey key;  // the same, ready to verify
  std::string kid;
  Instant not_before;
  std::optional<Instant> not_after;  // exclusive

  bool counts_at(Instant issued_at) const;
};

// Reads a JWK as bundles hold it: members outside the list, a missing kid and private parts are refused, "malformed".
Result<IssuerKey> issuer_key(const Json& jwk, Instant not_before, std::optional<Instant> not_after);

struct IssuerKeys {
  std::string issuer;
  std::vector<IssuerKey> keys;
};

struct RevokedPerson {
  Person person;
  Instant from;
};

struct RevokedKey {
  std::string issuer;
  std::string kid;
};

struct GroupCount {
  std::string group;
  std::int64_t count = 0;
};

struct ProviderState {
  std::string id;
  std::int64_t epoch = 1;
  std::optional<std::string> checkpoint;  // signed note of the provider's ledger
  std::vector<GroupCount> hubs;
  Hash homes_root{};
};

// What changes daily, from the municipality's own machine (PROTOCOL.md, "Bundle").
struct Bundle {
  BundleVersion version;
  Instant issued_at;
  Instant expires_at;  // exclusive
  std::vector<IssuerKeys> issuers;
  std::vector<RevokedPerson> revoked_persons;
  std::vector<RevokedKey> revoked_keys;
  std::vector<std::string> revoked_hubs;
  std::vector<ProviderState> providers;
  std::optional<Hash> day_list;

  // nullptr if not listed. Borrowed.
  const IssuerKey* key(std::string_view issuer, std::string_view kid) const;
  const ProviderState* provider(std::string_view id) const;
  bool is_key_revoked(std::string_view issuer, std::string_view kid) const;
  bool is_person_revoked(const Person& person, Instant now) const;
  bool is_hub_revoked(std::string_view hub) const;
};

// Form and inner sense. Reason: "malformed", or kWaiting "unknown_format".
Result<Bundle> parse_bundle(std::string_view payload);
std::string format_bundle(const Bundle& bundle);  // canonical payload, unsigned

// The bundle in an envelope, if a bundle key of `list` signed it; kRefused "bad_signature" otherwise, kWaiting
// "root_list_older" if it was made under a root list newer than `list`. Says nothing of its age.
Result<Bundle> open_bundle(std::string_view envelope, const RootList& list);

// The version of a bundle that was once opened, whoever may sign now; nullopt if it is none.
std::optional<BundleVersion> version_in(std::string_view envelope);

// Whether `next` may follow `held` (nullptr: none): refused "bundle_older" if its version is lower; equal is accepted
// and without effect if it is the same bundle, else "slot_taken".
Result<void> check_successor(const Bundle* held, const Bundle& next);

// Refused "bundle_expired" from expires_at on.
Result<void> check_current(const Bundle& bundle, Instant now);

// One home that the municipality's machine counted, a leaf under ProviderState::homes_root.
struct HomeLeaf {
  Hash assignment{};
  std::string group;
  Hash head{};
  std::string hub;
  std::string resident;
};

// What the root is over: the canonical texts of the leaves, sorted.
std::vector<std::string> home_texts(const std::vector<HomeLeaf>& homes);

// RFC 6962 root over those.
Hash homes_root(const std::vector<HomeLeaf>& homes);

}  // namespace tillsyn::orders
