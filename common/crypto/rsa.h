#pragma once

#include <cstddef>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/base/result.h"

namespace tillsyn::crypto {

inline constexpr std::size_t kMinRsaBits = 2048;
inline constexpr std::size_t kMaxRsaBits = 4096;

// An RSA public key of an identity provider; we hold no private ones. Equal if modulus and exponent are.
// Threads: reentrant.
class RsaPublicKey {
 public:
  // Big-endian without leading zeros; modulus odd, kMinRsaBits to kMaxRsaBits; exponent odd, 3 <= e < 2^64.
  // Else kMalformed "rsa".
  static Result<RsaPublicKey> from_numbers(ByteView modulus, ByteView exponent);

  ByteArray<32> thumbprint() const;  // RFC 7638

  // RSASSA-PKCS1-v1_5 and RSASSA-PSS (salt of 32 bytes, MGF1), both with SHA-256: JWS RS256 and PS256 (RFC 7518 §3.3,
  // §3.5). `signature` is as long as the modulus; anything else is false.
  bool verify_rs256(ByteView message, ByteView signature) const;
  bool verify_ps256(ByteView message, ByteView signature) const;

  friend bool operator==(const RsaPublicKey&, const RsaPublicKey&) = default;

 private:
  RsaPublicKey(Bytes modulus, Bytes exponent) : modulus_(std::move(modulus)), exponent_(std::move(exponent)) {}

  Bytes modulus_;
  Bytes exponent_;
};

}  // namespace tillsyn::crypto
