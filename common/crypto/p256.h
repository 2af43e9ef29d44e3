#pragma once

#include <cstddef>
#include <string>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/secret.h"

namespace tillsyn::crypto {

inline constexpr std::size_t kP256PointBytes = 65;
inline constexpr std::size_t kP256SignatureBytes = 64;

// A point of P-256 that has been checked to lie on the curve and not to be infinity. Two keys are equal if their points
// are. Threads: reentrant, as everything in this header.
class P256PublicKey {
 public:
  // Uncompressed SEC 1 §2.3.3: 0x04 ‖ x ‖ y. Everything else, compressed points included, is kMalformed "p256".
  static Result<P256PublicKey> from_point(ByteView uncompressed);

  // Exactly the members kty "EC", crv "P-256", x and y (RFC 7518 §6.2.1), each coordinate 32 bytes in canonical base64url;
  // any other member is refused, the private `d` first of all, so that a key has one spelling. kMalformed with reason "jwk",
  // "base64url" or "p256".
  // A key from an identity provider's JWKS, with kid and use beside it, goes through VerificationKey (jws.h).
  static Result<P256PublicKey> from_jwk(const Json& jwk);
  Json to_jwk() const;

  const ByteArray<kP256PointBytes>& point() const { return point_; }

  // RFC 7638, as bytes and in base64url.
  ByteArray<32> thumbprint() const;
  std::string thumbprint_text() const;

  // ECDSA with SHA-256; `signature` is r ‖ s, 64 bytes (IEEE P1363, JWS ES256). Anything else is false.
  bool verify(ByteView message, ByteView signature) const;

  friend bool operator==(const P256PublicKey&, const P256PublicKey&) = default;

 private:
  explicit P256PublicKey(const ByteArray<kP256PointBytes>& point) : point_(point) {}
  friend class P256PrivateKey;

  ByteArray<kP256PointBytes> point_;
};

// A P-256 key pair. Moved, never copied.
class P256PrivateKey {
 public:
  static P256PrivateKey generate();

  // The secret scalar, 32 bytes big-endian, 1 <= d < n: what is stored. kMalformed "p256" if it is anything else.
  static Result<P256PrivateKey> from_scalar(ByteView scalar);
  ByteView scalar() const { return scalar_.view(); }

  const P256PublicKey& public_key() const { return public_key_; }

  // ECDSA with SHA-256, r ‖ s; the per-signature secret comes from key and message (RFC 6979), not from the generator.
  ByteArray<kP256SignatureBytes> sign(ByteView message) const;

  // The x coordinate of the shared point, 32 bytes (SEC 1 §3.3.1).
  Secret ecdh(const P256PublicKey& peer) const;

 private:
  P256PrivateKey(Secret scalar, const P256PublicKey& public_key)
      : scalar_(std::move(scalar)), public_key_(public_key) {}

  Secret scalar_;
  P256PublicKey public_key_;
};

}  // namespace tillsyn::crypto
