#include "common/crypto/jws.h"

#include <algorithm>
#include <array>

#include "common/crypto/jwk.h"

namespace tillsyn::crypto {
namespace {

constexpr std::size_t kMaxHeaderBytes = 8 * 1024;

Result<JwsAlgorithm> algorithm_of(const std::string& name) {
  if (name == "ES256") return JwsAlgorithm::kEs256;
  if (name == "RS256") return JwsAlgorithm::kRs256;
  if (name == "PS256") return JwsAlgorithm::kPs256;
  return refused("jws_algorithm", "an algorithm that is never accepted");
}

bool fits(const std::variant<P256PublicKey, RsaPublicKey>& key, JwsAlgorithm algorithm) {
  return std::holds_alternative<P256PublicKey>(key) == (algorithm == JwsAlgorithm::kEs256);
}

Result<void> check_purpose(const Json& jwk) {
  if (jwk.contains("use") && jwk["use"] != "sig") return malformed("jwk", "the key is not for signatures");
  if (!jwk.contains("key_ops")) return {};
  const Json& operations = jwk["key_ops"];
  if (!operations.is_array() || std::find(operations.begin(), operations.end(), "verify") == operations.end())
    return malformed("jwk", "the key is not for verifying");
  return {};
}

Result<std::variant<P256PublicKey, RsaPublicKey>> key_of(const Json& jwk) {
  TILLSYN_TRY(type, jwk_text(jwk, "kty", 8));
  if (type == "EC") {
    TILLSYN_TRY(key, p256_from_jwk_members(jwk));
    return std::variant<P256PublicKey, RsaPublicKey>(key);
  }
  TILLSYN_TRY(key, rsa_from_jwk_members(jwk));
  return std::variant<P256PublicKey, RsaPublicKey>(std::move(key));
}

struct Parts {
  std::string_view header, payload, signature, signing_input;
};

Result<Parts> split(std::string_view compact) {
  if (compact.size() > kMaxJwsBytes) return malformed("jws", "too long");
  const auto first = compact.find('.');
  const auto last = compact.rfind('.');
  if (first == std::string_view::npos || first == last || compact.find('.', first + 1) != last)
    return malformed("jws", "expected three parts");
  return Parts{compact.substr(0, first), compact.substr(first + 1, last - first - 1), compact.substr(last + 1),
               compact.substr(0, last)};
}

Result<Json> read_header(std::string_view part) {
  TILLSYN_TRY(bytes, from_base64url(part));
  TILLSYN_TRY(header, parse_foreign_json(text_of(bytes), {.max_bytes = kMaxHeaderBytes}));
  if (!header.is_object()) return malformed("jws", "the header is not an object");
  // RFC 7515 §4.1.11: an extension that must be understood; we understand none. b64 (RFC 7797) changes what is signed.
  if (header.contains("crit") || header.contains("b64")) return refused("jws_crit", "asks for an unknown extension");
  return header;
}

Result<std::string> header_text(const Json& header, const char* name) {
  const auto found = header.find(name);
  if (found == header.end() || !found->is_string()) return malformed("jws", std::string(name) + " is not a text");
  return found->get<std::string>();
}

}  // namespace

Result<VerificationKey> VerificationKey::from_jwk(const Json& jwk) {
  if (!jwk.is_object()) return malformed("jwk", "not an object");
  TILLSYN_CHECK(check_purpose(jwk));
  TILLSYN_TRY(key, key_of(jwk));
  std::optional<std::string> kid;
  if (jwk.contains("kid")) {
    TILLSYN_TRY(text, jwk_text(jwk, "kid", kMaxKidBytes));
    kid = text;
  }
  std::optional<JwsAlgorithm> only;
  if (jwk.contains("alg")) {
    TILLSYN_TRY(name, jwk_text(jwk, "alg", 16));
    const auto algorithm = algorithm_of(name);
    if (!algorithm.ok() || !fits(key, *algorithm)) return malformed("jwk", "alg is not one of this key type");
    only = *algorithm;
  }
  return VerificationKey(std::move(key), std::move(kid), only);
}

ByteArray<32> VerificationKey::thumbprint() const {
  return std::visit([](const auto& key) { return key.thumbprint(); }, key_);
}

Result<void> VerificationKey::verify(JwsAlgorithm algorithm, ByteView message, ByteView signature) const {
  if (!fits(key_, algorithm) || (only_ && *only_ != algorithm))
    return refused("jws_algorithm", "the key is for another algorithm");
  bool valid = false;
  if (const auto* p256 = std::get_if<P256PublicKey>(&key_)) valid = p256->verify(message, signature);
  if (const auto* rsa = std::get_if<RsaPublicKey>(&key_))
    valid = algorithm == JwsAlgorithm::kRs256 ? rsa->verify_rs256(message, signature)
                                              : rsa->verify_ps256(message, signature);
  if (!valid) return refused("jws_signature", "the signature is not this key's");
  return {};
}

Result<CompactJws> CompactJws::parse(std::string_view compact) {
  TILLSYN_TRY(parts, split(compact));
  TILLSYN_TRY(header, read_header(parts.header));
  TILLSYN_TRY(algorithm_name, header_text(header, "alg"));
  TILLSYN_TRY(algorithm, algorithm_of(algorithm_name));
  TILLSYN_TRY(kid, header_text(header, "kid"));
  if (kid.size() > kMaxKidBytes) return malformed("jws", "kid is too long");
  TILLSYN_TRY(payload, from_base64url(parts.payload));
  TILLSYN_TRY(signature, from_base64url(parts.signature));
  CompactJws jws;
  jws.algorithm_ = algorithm;
  jws.kid_ = std::move(kid);
  jws.payload_ = text_of(payload);
  jws.signing_input_ = parts.signing_input;
  jws.signature_ = std::move(signature);
  return jws;
}

Result<std::string> CompactJws::verify(const VerificationKey& key) const {
  TILLSYN_CHECK(key.verify(algorithm_, view_of(signing_input_), signature_));
  return payload_;
}

Result<VerifiedJws> verify_jws(std::string_view compact, const KeySet& keys) {
  TILLSYN_TRY(jws, CompactJws::parse(compact));
  const auto key = keys.find(jws.kid());
  if (key == keys.end()) return waiting("kid_unknown", "no key of this kid is known");
  TILLSYN_TRY(payload, jws.verify(key->second));
  return VerifiedJws{jws.kid(), std::move(payload)};
}

std::string sign_jws(const P256PrivateKey& key, std::string_view kid, const Json& claims) {
  const Json header = {{"alg", "ES256"}, {"kid", kid}, {"typ", "JWT"}};
  const std::string input =
      to_base64url(view_of(canonical_json(header))) + "." + to_base64url(view_of(canonical_json(claims)));
  return input + "." + to_base64url(key.sign(view_of(input)));
}

}  // namespace tillsyn::crypto
