#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/ed25519.h"

namespace tillsyn::orders {

constexpr std::size_t kMaxTrustSignatures = 16;

enum class TrustKind { kRootList, kBundle };

struct TrustSignature {
  ByteArray<32> key{};
  ByteArray<64> sig{};
};

// A root list or bundle with its signatures, read and not yet verified (PROTOCOL.md, "Signing").
struct TrustEnvelope {
  std::string payload;
  std::vector<TrustSignature> signatures;  // each key once
};

// Reads form only, of at most `max_bytes`; the payload is any text. Reason: "malformed".
Result<TrustEnvelope> parse_trust_envelope(std::string_view json, std::size_t max_bytes);
std::string format_trust_envelope(const TrustEnvelope& envelope);

// Adds a signature, or renews the one that the key has there already.
void add_signature(TrustEnvelope& envelope, TrustKind kind, const crypto::Ed25519PrivateKey& key);

// How many different keys of `keys` have signed the payload as `kind`. Signatures of other keys, and wrong ones, count
// nothing.
std::size_t count_signers(const TrustEnvelope& envelope, TrustKind kind,
                          const std::vector<crypto::Ed25519PublicKey>& keys);

// The offline keys of the municipality that sign root lists: `threshold` of them are needed. Pinned when a hub is
// flashed.
struct FleetRoot {
  std::int64_t threshold = 1;
  std::vector<crypto::Ed25519PublicKey> keys;  // 1-16, different; threshold <= keys.size()
};

Result<FleetRoot> parse_fleet_root(std::string_view json);
std::string format_fleet_root(const FleetRoot& root);

}  // namespace tillsyn::orders
