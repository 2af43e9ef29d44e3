#pragma once

#include <cstddef>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/secret.h"

namespace tillsyn::crypto {

// Ed25519 (RFC 8032, pure), read strictly: canonical encodings only, no point of small order. Two keys are equal if
// their bytes are. Threads: reentrant, as everything in this header.
class Ed25519PublicKey {
 public:
  // 32 bytes that encode a point of the prime-order group; else kMalformed "ed25519".
  static Result<Ed25519PublicKey> from_bytes(ByteView bytes);
  const ByteArray<32>& bytes() const { return bytes_; }

  // `signature` is 64 bytes; anything else is false.
  bool verify(ByteView message, ByteView signature) const;

  friend bool operator==(const Ed25519PublicKey&, const Ed25519PublicKey&) = default;

 private:
  explicit Ed25519PublicKey(const ByteArray<32>& bytes) : bytes_(bytes) {}
  friend class Ed25519PrivateKey;

  ByteArray<32> bytes_;
};

// Moved, never copied.
class Ed25519PrivateKey {
 public:
  static Ed25519PrivateKey generate();

  // The 32-byte seed of RFC 8032 §5.1.5: what is stored. Another size is kMalformed "ed25519".
  static Result<Ed25519PrivateKey> from_seed(ByteView seed);
  ByteView seed() const { return expanded_.view().first(32); }

  const Ed25519PublicKey& public_key() const { return public_key_; }
  ByteArray<64> sign(ByteView message) const;

 private:
  Ed25519PrivateKey(Secret expanded, const Ed25519PublicKey& public_key)
      : expanded_(std::move(expanded)), public_key_(public_key) {}

  Secret expanded_;  // seed ‖ public key, libsodium's form
  Ed25519PublicKey public_key_;
};

}  // namespace tillsyn::crypto
