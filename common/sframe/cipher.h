#pragma once

// Inside common/sframe and its tests only: the cipher suite under one key, for any base key and any CTR.

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/aead.h"
#include "common/crypto/secret.h"
#include "common/sframe/sframe.h"

namespace tillsyn::sframe {

// RFC 9605 §4.4.2, suite 5.
struct DerivedKeys {
  crypto::Secret key;   // 32 bytes
  crypto::Secret salt;  // 12 bytes
};
DerivedKeys derive_keys(ByteView base_key, std::uint64_t kid);

// RFC 9605 §4.4.3 and §4.4.4. Threads: one at a time.
class Cipher {
 public:
  Cipher(ByteView base_key, std::uint64_t kid);

  // Appends header ‖ ciphertext ‖ tag. The caller never gives a CTR twice.
  void seal_at(std::uint64_t ctr, ByteView metadata, ByteView plaintext, Bytes& out);

  // As Opener::open.
  Result<Opened> open(ByteView object, ByteView metadata);

 private:
  Cipher(DerivedKeys keys, std::uint64_t kid);
  ByteArray<crypto::kGcmNonceBytes> nonce_for(std::uint64_t ctr) const;

  std::uint64_t kid_;
  crypto::Secret salt_;
  crypto::Aes256Gcm aead_;
  Bytes aad_;  // kept, so that a frame allocates nothing but its output
};

// The CTRs of one sender: `first`, then one more each, 2^64−1 the last, so none comes twice.
class CounterSequence {
 public:
  explicit CounterSequence(std::uint64_t first = 0) : next_(first) {}
  Result<std::uint64_t> take();  // kRefused "sframe_exhausted" when all are used

 private:
  std::uint64_t next_;
  bool exhausted_ = false;
};

}  // namespace tillsyn::sframe
