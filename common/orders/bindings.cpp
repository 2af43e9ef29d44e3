#include "common/orders/bindings.h"

#include "common/base/json.h"
#include "common/crypto/hash.h"

namespace tillsyn::orders {
namespace {

constexpr std::uint8_t kZero[] = {0};

}  // namespace

std::string staff_nonce(const ByteArray<32>& key_thumbprint, const ByteArray<32>& salt) {
  Bytes body;
  append(body, key_thumbprint);
  append(body, salt);
  return to_base64url(crypto::sha256(signed_bytes("staff key", body)));
}

Hash note_hash(const ByteArray<32>& salt, std::string_view text) {
  return crypto::Sha256().update(salt).update(view_of(text)).finish();
}

Hash name_hash(const ByteArray<32>& salt, std::string_view name, std::string_view address) {
  Bytes body;
  append(body, salt);
  append(body, view_of(canonical_json({{"address", address}, {"name", name}})));
  return crypto::sha256(signed_bytes("name", body));
}

std::string person_slot(const Person& person) {
  crypto::Sha256 hash;
  hash.update(view_of(person.issuer)).update(kZero).update(view_of(person.value));
  return "person/" + to_base64url(hash.finish());
}

Bytes session_bytes(std::string_view relay_host, const ByteArray<32>& challenge) {
  Bytes body;
  append(body, view_of(relay_host));
  append(body, kZero);
  append(body, challenge);
  return signed_bytes("session", body);
}

}  // namespace tillsyn::orders
