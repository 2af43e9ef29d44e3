#include "common/sframe/cipher.h"

#include <cstdlib>
#include <limits>

#include "common/crypto/hash.h"

namespace tillsyn::sframe {
namespace {

constexpr std::uint16_t kSuite = 5;

crypto::Secret expand(const crypto::Secret& secret, std::string_view label, std::uint64_t kid, std::size_t size) {
  Bytes info(label.begin(), label.end());
  append_u64(info, kid);
  append_u16(info, kSuite);
  auto expanded = crypto::hkdf_sha512_expand(secret.view(), info, size);
  if (!expanded.ok()) std::abort();
  return std::move(*expanded);
}

}  // namespace

DerivedKeys derive_keys(ByteView base_key, std::uint64_t kid) {
  const crypto::Secret secret = crypto::hkdf_sha512_extract({}, base_key);
  return {expand(secret, "SFrame 1.0 Secret key ", kid, crypto::kAesKeyBytes),
          expand(secret, "SFrame 1.0 Secret salt ", kid, crypto::kGcmNonceBytes)};
}

Cipher::Cipher(ByteView base_key, std::uint64_t kid) : Cipher(derive_keys(base_key, kid), kid) {}

Cipher::Cipher(DerivedKeys keys, std::uint64_t kid)
    : kid_(kid), salt_(std::move(keys.salt)), aead_(keys.key.view().first<crypto::kAesKeyBytes>()) {}

void Cipher::seal_at(std::uint64_t ctr, ByteView metadata, ByteView plaintext, Bytes& out) {
  const std::size_t start = out.size();
  append_header(out, {kid_, ctr});
  aad_.assign(out.begin() + static_cast<std::ptrdiff_t>(start), out.end());
  append(aad_, metadata);
  const std::size_t body = out.size();
  out.resize(body + plaintext.size() + crypto::kGcmTagBytes);
  aead_.seal(nonce_for(ctr), aad_, plaintext, std::span(out).subspan(body));
}

Result<Opened> Cipher::open(ByteView object, ByteView metadata) {
  TILLSYN_TRY(decoded, decode_header(object));
  if (object.size() < decoded.size + crypto::kGcmTagBytes) return malformed("sframe", "shorter than its tag");
  if (decoded.header.kid != kid_) return refused("sframe_kid", "sealed under another key id");
  aad_.assign(object.begin(), object.begin() + static_cast<std::ptrdiff_t>(decoded.size));
  append(aad_, metadata);
  const ByteView sealed = object.subspan(decoded.size);
  Opened opened{decoded.header.ctr, Bytes(sealed.size() - crypto::kGcmTagBytes)};
  TILLSYN_CHECK(aead_.open(nonce_for(opened.ctr), aad_, sealed, opened.plaintext));
  return opened;
}

ByteArray<crypto::kGcmNonceBytes> Cipher::nonce_for(std::uint64_t ctr) const {
  ByteArray<crypto::kGcmNonceBytes> nonce;
  const ByteView salt = salt_.view();
  for (std::size_t i = nonce.size(); i-- > 0; ctr >>= 8) nonce[i] = static_cast<std::uint8_t>(salt[i] ^ (ctr & 0xff));
  return nonce;
}

Result<std::uint64_t> CounterSequence::take() {
  if (exhausted_) return refused("sframe_exhausted", "every CTR of this key has been used");
  exhausted_ = next_ == std::numeric_limits<std::uint64_t>::max();
  return next_++;
}

}  // namespace tillsyn::sframe
