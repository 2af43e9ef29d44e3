#include "common/crypto/ed25519.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "common/crypto/random.h"

namespace tillsyn::crypto {
namespace {

constexpr std::size_t kSeedBytes = crypto_sign_SEEDBYTES;
constexpr std::size_t kSignatureBytes = crypto_sign_BYTES;

}  // namespace

Result<Ed25519PublicKey> Ed25519PublicKey::from_bytes(ByteView bytes) {
  if (bytes.size() != crypto_sign_PUBLICKEYBYTES) return malformed("ed25519", "expected 32 bytes");
  if (crypto_core_ed25519_is_valid_point(bytes.data()) != 1) return malformed("ed25519", "not a point of the group");
  ByteArray<32> copy;
  std::copy(bytes.begin(), bytes.end(), copy.begin());
  return Ed25519PublicKey(copy);
}

bool Ed25519PublicKey::verify(ByteView message, ByteView signature) const {
  return signature.size() == kSignatureBytes &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(), bytes_.data()) == 0;
}

Ed25519PrivateKey Ed25519PrivateKey::generate() {
  auto key = from_seed(Secret::random(kSeedBytes).view());
  if (!key.ok()) std::abort();
  return std::move(*key);
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::from_seed(ByteView seed) {
  if (seed.size() != kSeedBytes) return malformed("ed25519", "expected a seed of 32 bytes");
  Secret expanded(crypto_sign_SECRETKEYBYTES);
  ByteArray<32> point;
  if (crypto_sign_seed_keypair(point.data(), expanded.writable().data(), seed.data()) != 0) std::abort();
  return Ed25519PrivateKey(std::move(expanded), Ed25519PublicKey(point));
}

ByteArray<64> Ed25519PrivateKey::sign(ByteView message) const {
  ByteArray<64> signature;
  if (crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), expanded_.view().data()) != 0)
    std::abort();
  return signature;
}

}  // namespace tillsyn::crypto
