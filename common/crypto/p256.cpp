#include "common/crypto/p256.h"

#include <mbedtls/ecdh.h>
#include <mbedtls/ecdsa.h>

#include <algorithm>

#include "common/crypto/hash.h"
#include "common/crypto/jwk.h"
#include "common/crypto/mbed.h"

namespace tillsyn::crypto {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr std::uint8_t kUncompressed = 4;

// Precondition of the callers: the point was checked when the key was made.
void load_point(EcPoint& point, const ByteArray<kP256PointBytes>& bytes) {
  require(mbedtls_ecp_point_read_binary(p256(), point.get(), bytes.data(), bytes.size()));
}

void load_number(Mpi& number, ByteView bytes) {
  require(mbedtls_mpi_read_binary(number.get(), bytes.data(), bytes.size()));
}

ByteArray<kP256PointBytes> bytes_of(const EcPoint& point) {
  ByteArray<kP256PointBytes> bytes;
  std::size_t written = 0;
  require(mbedtls_ecp_point_write_binary(p256(), point.get(), MBEDTLS_ECP_PF_UNCOMPRESSED, &written, bytes.data(),
                                         bytes.size()));
  return bytes;
}

ByteArray<kP256PointBytes> public_point(const Mpi& scalar) {
  EcPoint point;
  require(mbedtls_ecp_mul(p256(), point.get(), scalar.get(), &p256()->G, fill_random, nullptr));
  return bytes_of(point);
}

Secret scalar_bytes(const Mpi& scalar) {
  Secret bytes(kCoordinateBytes);
  require(mbedtls_mpi_write_binary(scalar.get(), bytes.writable().data(), bytes.size()));
  return bytes;
}

}  // namespace

Result<P256PublicKey> P256PublicKey::from_point(ByteView uncompressed) {
  if (uncompressed.size() != kP256PointBytes || uncompressed[0] != kUncompressed)
    return malformed("p256", "expected an uncompressed point");
  EcPoint point;
  if (mbedtls_ecp_point_read_binary(p256(), point.get(), uncompressed.data(), uncompressed.size()) != 0 ||
      mbedtls_ecp_check_pubkey(p256(), point.get()) != 0)
    return malformed("p256", "not a point of the curve");
  ByteArray<kP256PointBytes> bytes;
  std::copy(uncompressed.begin(), uncompressed.end(), bytes.begin());
  return P256PublicKey(bytes);
}

Result<P256PublicKey> P256PublicKey::from_jwk(const Json& jwk) {
  if (!jwk.is_object() || jwk.size() != 4) return malformed("jwk", "expected exactly kty, crv, x and y");
  return p256_from_jwk_members(jwk);
}

Json P256PublicKey::to_jwk() const {
  const ByteView xy = ByteView(point_).subspan(1);
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"x", to_base64url(xy.first(kCoordinateBytes))},
          {"y", to_base64url(xy.last(kCoordinateBytes))}};
}

ByteArray<32> P256PublicKey::thumbprint() const { return sha256(view_of(canonical_json(to_jwk()))); }
std::string P256PublicKey::thumbprint_text() const { return to_base64url(thumbprint()); }

bool P256PublicKey::verify(ByteView message, ByteView signature) const {
  if (signature.size() != kP256SignatureBytes) return false;
  EcPoint point;
  Mpi r, s;
  load_point(point, point_);
  load_number(r, signature.first(kCoordinateBytes));
  load_number(s, signature.last(kCoordinateBytes));
  const auto hash = sha256(message);
  return mbedtls_ecdsa_verify(p256(), hash.data(), hash.size(), point.get(), r.get(), s.get()) == 0;
}

P256PrivateKey P256PrivateKey::generate() {
  Mpi scalar;
  require(mbedtls_ecp_gen_privkey(p256(), scalar.get(), fill_random, nullptr));
  return {scalar_bytes(scalar), P256PublicKey(public_point(scalar))};
}

Result<P256PrivateKey> P256PrivateKey::from_scalar(ByteView bytes) {
  if (bytes.size() != kCoordinateBytes) return malformed("p256", "expected a scalar of 32 bytes");
  Mpi scalar;
  load_number(scalar, bytes);
  if (mbedtls_ecp_check_privkey(p256(), scalar.get()) != 0) return malformed("p256", "the scalar is out of range");
  return P256PrivateKey(Secret::copy_of(bytes), P256PublicKey(public_point(scalar)));
}

ByteArray<kP256SignatureBytes> P256PrivateKey::sign(ByteView message) const {
  Mpi scalar, r, s;
  load_number(scalar, scalar_.view());
  const auto hash = sha256(message);
  require(mbedtls_ecdsa_sign_det_ext(p256(), r.get(), s.get(), scalar.get(), hash.data(), hash.size(), MBEDTLS_MD_SHA256,
                                     fill_random, nullptr));
  ByteArray<kP256SignatureBytes> signature;
  require(mbedtls_mpi_write_binary(r.get(), signature.data(), kCoordinateBytes));
  require(mbedtls_mpi_write_binary(s.get(), signature.data() + kCoordinateBytes, kCoordinateBytes));
  return signature;
}

Secret P256PrivateKey::ecdh(const P256PublicKey& peer) const {
  EcPoint point;
  Mpi scalar, shared;
  load_point(point, peer.point());
  load_number(scalar, scalar_.view());
  require(mbedtls_ecdh_compute_shared(p256(), shared.get(), point.get(), scalar.get(), fill_random, nullptr));
  return scalar_bytes(shared);
}

}  // namespace tillsyn::crypto
