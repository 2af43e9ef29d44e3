#include "common/orders/order.h"

#include "common/crypto/hash.h"
#include "common/crypto/jws.h"
#include "common/orders/codec.h"

namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxOrderDepth = 5;
constexpr std::size_t kMaxSigners = 2;

struct Envelope {
  std::string payload_text;
  std::vector<std::optional<StaffSignature>> signatures;
};

std::string read_proof(JsonReader& in) { return in.text("id_token", crypto::kMaxJwsBytes); }

std::optional<StaffSignature> read_signature(JsonReader& in) {
  const auto sig = read_array<64>(in, "sig");
  const auto key = read_jwk(in, "key");
  const auto salt = read_array<32>(in, "salt");
  std::string id_token = read_object(in, "proof", read_proof);
  if (!key) return std::nullopt;
  return StaffSignature{sig, *key, salt, std::move(id_token)};
}

Result<Envelope> parse_envelope(std::string_view text) {
  auto json = parse_json(text, {.max_bytes = kMaxOrderBytes, .max_depth = kMaxOrderDepth});
  if (!json) return as_malformed(json.error());
  JsonReader in(*json, "order");
  Envelope out{in.text("payload", kMaxPayloadBytes), read_list(in, "signatures", 1, kMaxSigners, read_signature)};
  TILLSYN_CHECK(finish(in));
  return out;
}

}  // namespace

Hash order_hash(std::string_view payload_text) { return crypto::sha256(signed_bytes("order", view_of(payload_text))); }

Result<Hash> order_hash_in(std::string_view json) {
  TILLSYN_TRY(envelope, parse_envelope(json));
  return order_hash(envelope.payload_text);
}

Result<Order> parse_order(std::string_view json) {
  TILLSYN_TRY(envelope, parse_envelope(json));
  TILLSYN_TRY(payload, parse_payload(envelope.payload_text));
  if (payload.common.signers.size() != envelope.signatures.size()) {
    return malformed("malformed", "the order has not as many signatures as its payload names signers");
  }
  Order out{std::string(json), std::move(envelope.payload_text), std::move(payload), {}, {}};
  out.hash = order_hash(out.payload_text);
  for (auto& signature : envelope.signatures) out.signatures.push_back(std::move(*signature));
  return out;
}

std::string format_order(std::string_view payload_text, const std::vector<StaffSignature>& signatures) {
  Json items = Json::array();
  for (const auto& signature : signatures) {
    items.push_back({{"sig", hash_json(signature.sig)},
                     {"key", signature.key.to_jwk()},
                     {"salt", hash_json(signature.salt)},
                     {"proof", {{"id_token", signature.id_token}}}});
  }
  return canonical_json({{"payload", payload_text}, {"signatures", std::move(items)}});
}

}  // namespace tillsyn::orders
