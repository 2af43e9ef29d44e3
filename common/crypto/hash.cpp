#include "common/crypto/hash.h"

#include <mbedtls/hkdf.h>
#include <sodium.h>

#include "common/crypto/mbed.h"

namespace tillsyn::crypto {
namespace {

constexpr std::size_t kMaxHkdfBlocks = 255;

const mbedtls_md_info_t* info_of(mbedtls_md_type_t type) { return mbedtls_md_info_from_type(type); }

std::size_t size_of(mbedtls_md_type_t type) { return mbedtls_md_get_size(info_of(type)); }

template <std::size_t N>
ByteArray<N> digest(mbedtls_md_type_t type, ByteView bytes) {
  ByteArray<N> out;
  require(mbedtls_md(info_of(type), bytes.data(), bytes.size(), out.data()));
  return out;
}

Secret extract(mbedtls_md_type_t type, ByteView salt, ByteView input) {
  Secret key(size_of(type));
  require(mbedtls_hkdf_extract(info_of(type), salt.data(), salt.size(), input.data(), input.size(),
                               key.writable().data()));
  return key;
}

Result<Secret> expand(mbedtls_md_type_t type, ByteView key, ByteView info, std::size_t size) {
  const std::size_t hash = size_of(type);
  if (size == 0 || size > kMaxHkdfBlocks * hash) return malformed("hkdf", "cannot give this many bytes");
  if (key.size() < hash) return malformed("hkdf", "the pseudorandom key is shorter than a hash");
  Secret out(size);
  require(mbedtls_hkdf_expand(info_of(type), key.data(), key.size(), info.data(), info.size(), out.writable().data(),
                              size));
  return out;
}

}  // namespace

ByteArray<32> sha256(ByteView bytes) { return digest<32>(MBEDTLS_MD_SHA256, bytes); }
ByteArray<64> sha512(ByteView bytes) { return digest<64>(MBEDTLS_MD_SHA512, bytes); }

struct Sha256::State {
  Digest digest;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(mbedtls_md_setup(state_->digest.get(), info_of(MBEDTLS_MD_SHA256), 0));
  require(mbedtls_md_starts(state_->digest.get()));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(ByteView bytes) {
  require(mbedtls_md_update(state_->digest.get(), bytes.data(), bytes.size()));
  return *this;
}

ByteArray<32> Sha256::finish() {
  ByteArray<32> out;
  require(mbedtls_md_finish(state_->digest.get(), out.data()));
  return out;
}

ByteArray<32> hmac_sha256(ByteView key, ByteView bytes) {
  ByteArray<32> out;
  require(mbedtls_md_hmac(info_of(MBEDTLS_MD_SHA256), key.data(), key.size(), bytes.data(), bytes.size(), out.data()));
  return out;
}

Secret hkdf_sha256_extract(ByteView salt, ByteView input) { return extract(MBEDTLS_MD_SHA256, salt, input); }
Secret hkdf_sha512_extract(ByteView salt, ByteView input) { return extract(MBEDTLS_MD_SHA512, salt, input); }

Result<Secret> hkdf_sha256_expand(ByteView pseudorandom_key, ByteView info, std::size_t size) {
  return expand(MBEDTLS_MD_SHA256, pseudorandom_key, info, size);
}
Result<Secret> hkdf_sha512_expand(ByteView pseudorandom_key, ByteView info, std::size_t size) {
  return expand(MBEDTLS_MD_SHA512, pseudorandom_key, info, size);
}

Result<Secret> hkdf_sha256(ByteView salt, ByteView input, ByteView info, std::size_t size) {
  return hkdf_sha256_expand(hkdf_sha256_extract(salt, input).view(), info, size);
}
Result<Secret> hkdf_sha512(ByteView salt, ByteView input, ByteView info, std::size_t size) {
  return hkdf_sha512_expand(hkdf_sha512_extract(salt, input).view(), info, size);
}

bool constant_time_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tillsyn::crypto
