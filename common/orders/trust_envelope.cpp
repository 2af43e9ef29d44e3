#include "common/orders/trust_envelope.h"

#include <algorithm>

#include "common/orders/codec.h"

namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxFleetRootBytes = 4 * 1024;
constexpr std::size_t kMaxFleetRootKeys = 16;

Bytes bytes_to_sign(const TrustEnvelope& envelope, TrustKind kind) {
  return signed_bytes(kind == TrustKind::kRootList ? "root-list" : "bundle", view_of(envelope.payload));
}

TrustSignature read_signature(JsonReader& in) { return {read_array<32>(in, "key"), read_array<64>(in, "sig")}; }

bool has_key_twice(const std::vector<TrustSignature>& signatures) {
  std::vector<ByteArray<32>> keys;
  for (const auto& signature : signatures) keys.push_back(signature.key);
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

}  // namespace

Result<TrustEnvelope> parse_trust_envelope(std::string_view json, std::size_t max_bytes) {
  auto value = parse_json(json, {.max_bytes = max_bytes, .max_depth = 3});
  if (!value) return as_malformed(value.error());
  JsonReader in(*value, "envelope");
  TrustEnvelope out{in.text("payload", max_bytes), read_list(in, "signatures", 0, kMaxTrustSignatures, read_signature)};
  if (has_key_twice(out.signatures)) in.fail("signatures", "has a key twice");
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format_trust_envelope(const TrustEnvelope& envelope) {
  Json signatures = Json::array();
  for (const auto& signature : envelope.signatures) {
    signatures.push_back({{"key", hash_json(signature.key)}, {"sig", hash_json(signature.sig)}});
  }
  return canonical_json({{"payload", envelope.payload}, {"signatures", std::move(signatures)}});
}

void add_signature(TrustEnvelope& envelope, TrustKind kind, const crypto::Ed25519PrivateKey& key) {
  const TrustSignature made{key.public_key().bytes(), key.sign(bytes_to_sign(envelope, kind))};
  std::erase_if(envelope.signatures, [&](const auto& other) { return other.key == made.key; });
  envelope.signatures.push_back(made);
}

std::size_t count_signers(const TrustEnvelope& envelope, TrustKind kind,
                          const std::vector<crypto::Ed25519PublicKey>& keys) {
  const Bytes message = bytes_to_sign(envelope, kind);
  const auto has_signed = [&](const crypto::Ed25519PublicKey& key) {
    return std::any_of(envelope.signatures.begin(), envelope.signatures.end(), [&](const TrustSignature& signature) {
      return signature.key == key.bytes() && key.verify(message, signature.sig);
    });
  };
  return static_cast<std::size_t>(std::count_if(keys.begin(), keys.end(), has_signed));
}

Result<FleetRoot> parse_fleet_root(std::string_view json) {
  TILLSYN_TRY(value, parse_format_one(json, {.max_bytes = kMaxFleetRootBytes, .max_depth = 2}));
  JsonReader in(value, "fleet root");
  in.integer("format", 1, 1);
  FleetRoot out{in.integer("threshold", 1, kMaxFleetRootKeys), read_ed25519_keys(in, "keys", kMaxFleetRootKeys)};
  if (static_cast<std::size_t>(out.threshold) > out.keys.size()) in.fail("threshold", "is more than there are keys");
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format_fleet_root(const FleetRoot& root) {
  return canonical_json({{"format", 1}, {"threshold", root.threshold}, {"keys", ed25519_keys_json(root.keys)}});
}

}  // namespace tillsyn::orders
