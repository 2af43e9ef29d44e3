#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/crypto/rsa.h"

namespace tillsyn::crypto {

inline constexpr std::size_t kMaxJwsBytes = 16 * 1024;
inline constexpr std::size_t kMaxKidBytes = 256;

// All the algorithms there are. A key decides which of them apply to it; the token's header can only agree.
enum class JwsAlgorithm { kEs256, kRs256, kPs256 };

// A public key of an identity provider, from its JWKS. Threads: everything in this header is reentrant.
class VerificationKey {
 public:
  // RFC 7517 / 7518: EC on P-256, or RSA with 2048-4096 bits. Members we have no use for are ignored. Refused: private or
  // symmetric key members; `use` other than "sig"; `key_ops` without "verify"; `alg` that is not of our list or not of
  // this key type. kMalformed with reason "jwk", "base64url", "p256" or "rsa".
  static Result<VerificationKey> from_jwk(const Json& jwk);

  const std::optional<std::string>& kid() const { return kid_; }
  ByteArray<32> thumbprint() const;  // RFC 7638

  // Whether `signature` over `message` is this key's under `algorithm`, which must be of this key's type and, where the
  // JWK named one, that one.
  Result<void> verify(JwsAlgorithm algorithm, ByteView message, ByteView signature) const;

 private:
  using Key = std::variant<P256PublicKey, RsaPublicKey>;
  VerificationKey(Key key, std::optional<std::string> kid, std::optional<JwsAlgorithm> only)
      : key_(std::move(key)), kid_(std::move(kid)), only_(only) {}

  Key key_;
  std::optional<std::string> kid_;
  std::optional<JwsAlgorithm> only_;
};

using KeySet = std::map<std::string, VerificationKey, std::less<>>;  // by kid

// A compact JWS (RFC 7515 §7.1) whose form is sound and whose signature nobody has checked yet. Two steps, because which
// issuer's keys apply is written in the claims.
class CompactJws {
 public:
  // Demands three parts in canonical base64url, a JSON header without duplicate members, `alg` of our list (never "none",
  // never HMAC), `kid` as text, no `crit`, no `b64`; ignores `jku`, `x5u`, `x5c`, `jwk` and everything else.
  // kMalformed ("jws", "base64url", "json"), or kRefused "jws_algorithm" / "jws_crit".
  static Result<CompactJws> parse(std::string_view compact);

  const std::string& kid() const { return kid_; }

  // Only for choosing the keys to verify with. Read with parse_foreign_json.
  const std::string& unverified_payload() const { return payload_; }

  // The payload, now known to be signed by `key`. kRefused "jws_algorithm" or "jws_signature".
  Result<std::string> verify(const VerificationKey& key) const;

 private:
  CompactJws() = default;

  JwsAlgorithm algorithm_ = JwsAlgorithm::kEs256;
  std::string kid_;
  std::string payload_;
  std::string signing_input_;
  Bytes signature_;
};

struct VerifiedJws {
  std::string kid;
  std::string payload;
};

// Both steps under one issuer's keys. kWaiting "kid_unknown" if `keys` does not hold the token's kid.
Result<VerifiedJws> verify_jws(std::string_view compact, const KeySet& keys);

// A compact JWS under ES256 with the header {"alg","kid","typ":"JWT"}, as private_key_jwt asks (RFC 7523).
// Precondition on `claims`: as canonical_json's.
std::string sign_jws(const P256PrivateKey& key, std::string_view kid, const Json& claims);

}  // namespace tillsyn::crypto
