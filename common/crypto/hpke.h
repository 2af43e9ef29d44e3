#pragma once

#include <cstddef>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/crypto/secret.h"

namespace tillsyn::crypto {

// HPKE (RFC 9180) in base mode and one suite: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. One message a context.
// Base mode does not say who sent it; the sender signs enc and ciphertext with a key of its own.
// Threads: everything in this header is reentrant.

// Makes further secrets, known to both sides, from one encapsulation (RFC 9180 §5.3). Moved, never copied.
class HpkeExporter {
 public:
  explicit HpkeExporter(Secret exporter_secret) : secret_(std::move(exporter_secret)) {}

  // Different contexts give independent secrets. A size above 255 * 32 is kMalformed "hkdf".
  Result<Secret> derive(ByteView context, std::size_t size) const;

 private:
  Secret secret_;
};

struct HpkeSealed {
  ByteArray<kP256PointBytes> enc;  // the encapsulated key, sent beside the ciphertext
  Bytes ciphertext;                // 16 bytes longer than the plaintext
  HpkeExporter exporter;
};

struct HpkeOpened {
  Secret plaintext;
  HpkeExporter exporter;
};

// Encrypts `plaintext` to the holder of `recipient`, with an ephemeral key of its own.
HpkeSealed hpke_seal(const P256PublicKey& recipient, ByteView info, ByteView aad, ByteView plaintext);

// kMalformed "p256" if `enc` is no point, kMalformed or kRefused "aead" if the ciphertext, info, aad or key is another.
Result<HpkeOpened> hpke_open(const P256PrivateKey& recipient, ByteView enc, ByteView info, ByteView aad,
                             ByteView ciphertext);

}  // namespace tillsyn::crypto
