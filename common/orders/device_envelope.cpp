#include "common/crypto/hash.h"
#include "common/orders/codec.h"
#include "common/orders/device_documents.h"

// What all device documents have in common: how they are signed.
namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxEnvelopeBytes = 2 * kMaxDevicePayloadBytes;

struct DeviceEnvelope {
  std::string payload;
  ByteArray<64> sig{};
};

Bytes bytes_to_sign(DeviceKind kind, std::string_view payload) {
  return signed_bytes(device_kind_name(kind), view_of(payload));
}

Result<DeviceEnvelope> parse_envelope(std::string_view text) {
  auto json = parse_json(text, {.max_bytes = kMaxEnvelopeBytes, .max_depth = 1});
  if (!json) return as_malformed(json.error());
  JsonReader in(*json, "envelope");
  DeviceEnvelope out{in.text("payload", kMaxDevicePayloadBytes), read_array<64>(in, "sig")};
  TILLSYN_CHECK(finish(in));
  return out;
}

Result<void> check_signature(DeviceKind kind, const DeviceEnvelope& envelope, const crypto::P256PublicKey& key) {
  if (!key.verify(bytes_to_sign(kind, envelope.payload), envelope.sig)) return refuse("bad_signature");
  return {};
}

}  // namespace

Hash document_hash(DeviceKind kind, std::string_view payload) { return crypto::sha256(bytes_to_sign(kind, payload)); }

std::string seal(DeviceKind kind, std::string_view payload, const crypto::P256PrivateKey& device_key) {
  return canonical_json({{"payload", payload}, {"sig", hash_json(device_key.sign(bytes_to_sign(kind, payload)))}});
}

Result<std::string> open(DeviceKind kind, std::string_view envelope, const crypto::P256PublicKey& device_key) {
  TILLSYN_TRY(opened, parse_envelope(envelope));
  TILLSYN_CHECK(check_signature(kind, opened, device_key));
  return std::move(opened.payload);
}

Result<LinkKey> open_link_key(std::string_view envelope) {
  TILLSYN_TRY(opened, parse_envelope(envelope));
  TILLSYN_TRY(request, parse_link_key(opened.payload));
  TILLSYN_CHECK(check_signature(DeviceKind::kLinkKey, opened, request.device_key));
  return std::move(request);
}

}  // namespace tillsyn::orders
