#include "common/base/json.h"
#include "common/crypto/jws.h"
#include "common/crypto/p256.h"
#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {
namespace {

const char* const kKeyOfRfc7515 =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";

}  // namespace

bool jws(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto token = crypto::CompactJws::parse(text);
  if (!token) return false;
  const auto payload = text.find('.') + 1;
  must(to_base64url(view_of(token->unverified_payload())) == text.substr(payload, text.rfind('.') - payload),
       "the payload is the token's second part");
  static const auto key = crypto::VerificationKey::from_jwk(*parse_json(kKeyOfRfc7515));
  const auto verified = token->verify(*key);
  must(!verified.ok() || *verified == token->unverified_payload(), "verifying changes nothing");
  return true;
}

bool jwk(ByteView bytes) {
  const auto value = parse_foreign_json(text_of(bytes));
  if (!value) return false;
  const auto point = crypto::P256PublicKey::from_jwk(*value);
  const auto key = crypto::VerificationKey::from_jwk(*value);
  if (point) {
    must(point->to_jwk() == *value, "a staff key has one spelling");
    must(*crypto::P256PublicKey::from_point(point->point()) == *point, "a key reads back from its point");
    must(key.ok() && key->thumbprint() == point->thumbprint(), "a key has one thumbprint");
  }
  return key.ok();
}

}  // namespace tillsyn::fuzz
