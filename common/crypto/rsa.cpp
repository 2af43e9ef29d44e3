#include "common/crypto/rsa.h"

#include <mbedtls/rsa.h>

#include <algorithm>
#include <bit>

#include "common/crypto/hash.h"
#include "common/crypto/mbed.h"

namespace tillsyn::crypto {
namespace {

constexpr std::size_t kMaxExponentBytes = 8;
constexpr int kSaltBytes = 32;

std::size_t bits_of(ByteView number) {
  return number.empty() ? 0 : number.size() * 8 - static_cast<std::size_t>(std::countl_zero(number[0]));
}

bool is_odd_and_minimal(ByteView number) {
  return !number.empty() && number.front() != 0 && (number.back() & 1) == 1;
}

unsigned remainder_of(ByteView number, unsigned divisor) {
  unsigned remainder = 0;
  for (const std::uint8_t byte : number) remainder = (remainder * 256 + byte) % divisor;
  return remainder;
}

bool is_power_of_65537(unsigned value, unsigned prime) {
  unsigned power = 1;
  do {
    if (power == value) return true;
    power = power * (65537 % prime) % prime;
  } while (power != 1);
  return false;
}

// CVE-2017-15361 (ROCA): smart cards made primes that are powers of 65537 modulo every small prime, and such moduli can be
// factored. A sound modulus passes all of these by chance once in 2^150.
bool has_roca_fingerprint(ByteView modulus) {
  constexpr unsigned kPrimes[] = {3,  5,  7,  11, 13, 17, 19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
                                  73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  return std::all_of(std::begin(kPrimes), std::end(kPrimes),
                     [&](unsigned prime) { return is_power_of_65537(remainder_of(modulus, prime), prime); });
}

void load(Pk& pk, ByteView modulus, ByteView exponent) {
  require(mbedtls_pk_setup(pk.get(), mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)));
  mbedtls_rsa_context* rsa = mbedtls_pk_rsa(*pk.get());
  require(mbedtls_rsa_import_raw(rsa, modulus.data(), modulus.size(), nullptr, 0, nullptr, 0, nullptr, 0,
                                 exponent.data(), exponent.size()));
  require(mbedtls_rsa_complete(rsa));
}

}  // namespace

Result<RsaPublicKey> RsaPublicKey::from_numbers(ByteView modulus, ByteView exponent) {
  if (!is_odd_and_minimal(modulus) || bits_of(modulus) < kMinRsaBits || bits_of(modulus) > kMaxRsaBits)
    return malformed("rsa", "the modulus must be odd and of 2048 to 4096 bits");
  if (!is_odd_and_minimal(exponent) || exponent.size() > kMaxExponentBytes || bits_of(exponent) < 2)
    return malformed("rsa", "the exponent must be odd, from 3 to 2^64");
  if (has_roca_fingerprint(modulus)) return malformed("rsa", "the key comes from a generator known to be broken");
  return RsaPublicKey({modulus.begin(), modulus.end()}, {exponent.begin(), exponent.end()});
}

ByteArray<32> RsaPublicKey::thumbprint() const {
  const Json jwk = {{"kty", "RSA"}, {"n", to_base64url(modulus_)}, {"e", to_base64url(exponent_)}};
  return sha256(view_of(canonical_json(jwk)));
}

bool RsaPublicKey::verify_rs256(ByteView message, ByteView signature) const {
  if (signature.size() != modulus_.size()) return false;
  Pk pk;
  load(pk, modulus_, exponent_);
  const auto hash = sha256(message);
  return mbedtls_pk_verify(pk.get(), MBEDTLS_MD_SHA256, hash.data(), hash.size(), signature.data(),
                           signature.size()) == 0;
}

bool RsaPublicKey::verify_ps256(ByteView message, ByteView signature) const {
  if (signature.size() != modulus_.size()) return false;
  Pk pk;
  load(pk, modulus_, exponent_);
  const mbedtls_pk_rsassa_pss_options options = {MBEDTLS_MD_SHA256, kSaltBytes};
  const auto hash = sha256(message);
  return mbedtls_pk_verify_ext(MBEDTLS_PK_RSASSA_PSS, &options, pk.get(), MBEDTLS_MD_SHA256, hash.data(), hash.size(),
                               signature.data(), signature.size()) == 0;
}

}  // namespace tillsyn::crypto
