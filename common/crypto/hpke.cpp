#include "common/crypto/hpke.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "common/crypto/aead.h"
#include "common/crypto/hash.h"
#include "common/crypto/hpke_internal.h"

namespace tillsyn::crypto {
namespace hpke {
namespace {

constexpr std::uint8_t kBaseMode = 0;
constexpr std::uint16_t kKem = 0x0010;  // DHKEM(P-256, HKDF-SHA256)
constexpr std::uint16_t kKdf = 0x0001;  // HKDF-SHA256
constexpr std::size_t kHashBytes = 32;

Bytes kem_suite() {
  Bytes id(view_of("KEM").begin(), view_of("KEM").end());
  append_u16(id, kKem);
  return id;
}

Bytes hpke_suite(Aead aead) {
  Bytes id(view_of("HPKE").begin(), view_of("HPKE").end());
  for (const std::uint16_t part : {kKem, kKdf, aead.id}) append_u16(id, part);
  return id;
}

// One of the parts may be a secret, so the whole is kept as one.
Secret joined(std::initializer_list<ByteView> parts) {
  std::size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  Secret out(size);
  auto at = out.writable().begin();
  for (const ByteView part : parts) at = std::copy(part.begin(), part.end(), at);
  return out;
}

// RFC 9180 §4.
Secret labeled_extract(ByteView suite, ByteView salt, std::string_view label, ByteView input) {
  return hkdf_sha256_extract(salt, joined({view_of("HPKE-v1"), suite, view_of(label), input}).view());
}

Result<Secret> labeled_expand(ByteView suite, ByteView key, std::string_view label, ByteView info, std::size_t size) {
  Bytes labeled;
  append_u16(labeled, static_cast<std::uint16_t>(size));
  for (const ByteView part : {view_of("HPKE-v1"), suite, view_of(label), info}) append(labeled, part);
  return hkdf_sha256_expand(key, labeled, size);
}

// For the sizes of this file, all of which HKDF can give.
Secret expand_known(ByteView suite, ByteView key, std::string_view label, ByteView info, std::size_t size) {
  if (size == 0) return {};
  auto expanded = labeled_expand(suite, key, label, info, size);
  if (!expanded.ok()) std::abort();
  return std::move(*expanded);
}

Context context_for(ByteView dh, ByteView enc, const P256PublicKey& recipient, ByteView info) {
  return key_schedule(kAes256Gcm, shared_secret(dh, enc, recipient.point()).view(), info);
}

}  // namespace

Secret shared_secret(ByteView dh, ByteView enc, ByteView recipient) {
  const Bytes suite = kem_suite();
  Bytes kem_context(enc.begin(), enc.end());
  append(kem_context, recipient);
  const Secret key = labeled_extract(suite, {}, "eae_prk", dh);
  return expand_known(suite, key.view(), "shared_secret", kem_context, kHashBytes);
}

Context key_schedule(Aead aead, ByteView shared, ByteView info) {
  const Bytes suite = hpke_suite(aead);
  Bytes context = {kBaseMode};
  append(context, labeled_extract(suite, {}, "psk_id_hash", {}).view());
  append(context, labeled_extract(suite, {}, "info_hash", info).view());
  const Secret secret = labeled_extract(suite, shared, "secret", {});
  return {expand_known(suite, secret.view(), "key", context, aead.key_bytes),
          expand_known(suite, secret.view(), "base_nonce", context, aead.nonce_bytes),
          expand_known(suite, secret.view(), "exp", context, kHashBytes)};
}

Result<Secret> export_secret(Aead aead, ByteView exporter_secret, ByteView context, std::size_t size) {
  return labeled_expand(hpke_suite(aead), exporter_secret, "sec", context, size);
}

HpkeSealed seal_with(const P256PrivateKey& ephemeral, const P256PublicKey& recipient, ByteView info, ByteView aad,
                     ByteView plaintext) {
  const auto& enc = ephemeral.public_key().point();
  Context context = context_for(ephemeral.ecdh(recipient).view(), enc, recipient, info);
  return {enc,
          aes256gcm_seal(context.key.view().first<kAesKeyBytes>(), context.nonce.view().first<kGcmNonceBytes>(), aad,
                         plaintext),
          HpkeExporter(std::move(context.exporter_secret))};
}

}  // namespace hpke

Result<Secret> HpkeExporter::derive(ByteView context, std::size_t size) const {
  return hpke::export_secret(hpke::kAes256Gcm, secret_.view(), context, size);
}

HpkeSealed hpke_seal(const P256PublicKey& recipient, ByteView info, ByteView aad, ByteView plaintext) {
  return hpke::seal_with(P256PrivateKey::generate(), recipient, info, aad, plaintext);
}

Result<HpkeOpened> hpke_open(const P256PrivateKey& recipient, ByteView enc, ByteView info, ByteView aad,
                             ByteView ciphertext) {
  TILLSYN_TRY(ephemeral, P256PublicKey::from_point(enc));
  if (ciphertext.size() < kGcmTagBytes) return malformed("aead", "shorter than its tag");
  hpke::Context context = hpke::context_for(recipient.ecdh(ephemeral).view(), enc, recipient.public_key(), info);
  Aes256Gcm cipher(context.key.view().first<kAesKeyBytes>());
  Secret plaintext(ciphertext.size() - kGcmTagBytes);
  TILLSYN_CHECK(cipher.open(context.nonce.view().first<kGcmNonceBytes>(), aad, ciphertext, plaintext.writable()));
  return HpkeOpened{std::move(plaintext), HpkeExporter(std::move(context.exporter_secret))};
}

}  // namespace tillsyn::crypto
