#include "common/crypto/aead.h"

#include "common/crypto/mbed.h"

namespace tillsyn::crypto {
namespace {

void require_size(bool right) { require(right ? 0 : MBEDTLS_ERR_GCM_BAD_INPUT); }

}  // namespace

struct Aes256Gcm::State {
  Gcm gcm;
};

Aes256Gcm::Aes256Gcm(AesKeyView key) : state_(std::make_unique<State>()) {
  require(mbedtls_gcm_setkey(state_->gcm.get(), MBEDTLS_CIPHER_ID_AES, key.data(), kAesKeyBytes * 8));
}
Aes256Gcm::~Aes256Gcm() = default;
Aes256Gcm::Aes256Gcm(Aes256Gcm&&) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&&) noexcept = default;

void Aes256Gcm::seal(GcmNonceView nonce, ByteView aad, ByteView plaintext, std::span<std::uint8_t> out) {
  require_size(out.size() == plaintext.size() + kGcmTagBytes);
  require(mbedtls_gcm_crypt_and_tag(state_->gcm.get(), MBEDTLS_GCM_ENCRYPT, plaintext.size(), nonce.data(), nonce.size(),
                                    aad.data(), aad.size(), plaintext.data(), out.data(), kGcmTagBytes,
                                    out.last(kGcmTagBytes).data()));
}

Result<void> Aes256Gcm::open(GcmNonceView nonce, ByteView aad, ByteView sealed, std::span<std::uint8_t> out) {
  if (sealed.size() < kGcmTagBytes) return malformed("aead", "shorter than its tag");
  require_size(out.size() == sealed.size() - kGcmTagBytes);
  const int status = mbedtls_gcm_auth_decrypt(state_->gcm.get(), out.size(), nonce.data(), nonce.size(), aad.data(),
                                              aad.size(), sealed.last(kGcmTagBytes).data(), kGcmTagBytes, sealed.data(),
                                              out.data());
  if (status == MBEDTLS_ERR_GCM_AUTH_FAILED) return refused("aead", "does not open under this key");
  require(status);
  return {};
}

Bytes aes256gcm_seal(AesKeyView key, GcmNonceView nonce, ByteView aad, ByteView plaintext) {
  Bytes out(plaintext.size() + kGcmTagBytes);
  Aes256Gcm(key).seal(nonce, aad, plaintext, out);
  return out;
}

Result<Bytes> aes256gcm_open(AesKeyView key, GcmNonceView nonce, ByteView aad, ByteView sealed) {
  if (sealed.size() < kGcmTagBytes) return malformed("aead", "shorter than its tag");
  Bytes out(sealed.size() - kGcmTagBytes);
  TILLSYN_CHECK(Aes256Gcm(key).open(nonce, aad, sealed, out));
  return out;
}

}  // namespace tillsyn::crypto
