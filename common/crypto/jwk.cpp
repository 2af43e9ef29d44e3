#include "common/crypto/jwk.h"

#include <algorithm>

namespace tillsyn::crypto {
namespace {

constexpr std::size_t kMaxNumberText = 1024;  // 4096 bits take 683

Result<void> refuse_private(const Json& jwk) {
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
    if (jwk.contains(name)) return malformed("jwk", "holds a private or symmetric key");
  return {};
}

Result<void> expect_text(const Json& jwk, const char* name, const char* expected) {
  const auto found = jwk.find(name);
  if (found == jwk.end() || *found != expected)
    return malformed("jwk", std::string(name) + " is not " + expected);
  return {};
}

Result<Bytes> number(const Json& jwk, const char* name) {
  TILLSYN_TRY(text, jwk_text(jwk, name, kMaxNumberText));
  return from_base64url(text);
}

}  // namespace

Result<std::string> jwk_text(const Json& jwk, const char* name, std::size_t max_bytes) {
  const auto found = jwk.find(name);
  if (found == jwk.end() || !found->is_string()) return malformed("jwk", std::string(name) + " is not a text");
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > max_bytes) return malformed("jwk", std::string(name) + " is too long");
  return text;
}

Result<P256PublicKey> p256_from_jwk_members(const Json& jwk) {
  TILLSYN_CHECK(refuse_private(jwk));
  TILLSYN_CHECK(expect_text(jwk, "kty", "EC"));
  TILLSYN_CHECK(expect_text(jwk, "crv", "P-256"));
  TILLSYN_TRY(x_text, jwk_text(jwk, "x", kMaxNumberText));
  TILLSYN_TRY(y_text, jwk_text(jwk, "y", kMaxNumberText));
  TILLSYN_TRY(x, from_base64url_exact<32>(x_text));
  TILLSYN_TRY(y, from_base64url_exact<32>(y_text));
  ByteArray<kP256PointBytes> point = {4};
  std::copy(x.begin(), x.end(), point.begin() + 1);
  std::copy(y.begin(), y.end(), point.begin() + 33);
  return P256PublicKey::from_point(point);
}

Result<RsaPublicKey> rsa_from_jwk_members(const Json& jwk) {
  TILLSYN_CHECK(refuse_private(jwk));
  TILLSYN_CHECK(expect_text(jwk, "kty", "RSA"));
  TILLSYN_TRY(modulus, number(jwk, "n"));
  TILLSYN_TRY(exponent, number(jwk, "e"));
  return RsaPublicKey::from_numbers(modulus, exponent);
}

}  // namespace tillsyn::crypto
