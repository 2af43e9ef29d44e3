#include <algorithm>

#include "common/crypto/hash.h"
#include "common/crypto/jws.h"
#include "tests/unit/crypto/vectors.h"

using namespace tillsyn;
using namespace tillsyn::crypto;
using namespace tillsyn::test;

namespace {

const char* const kKid = "key-1";

Json vectors() { return load_vectors("jose_rfc7515_7520_7638.json").at("files"); }

Json public_part(Json jwk) {
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi"}) jwk.erase(name);
  return jwk;
}

VerificationKey verification_key(const P256PublicKey& key, Json more = Json::object()) {
  Json jwk = key.to_jwk();
  jwk.update(more);
  auto made = VerificationKey::from_jwk(jwk);
  REQUIRE(made.ok());
  return std::move(*made);
}

std::string token(const P256PrivateKey& key, const std::string& header, const std::string& payload = "{}") {
  const std::string input = to_base64url(view_of(header)) + "." + to_base64url(view_of(payload));
  return input + "." + to_base64url(key.sign(view_of(input)));
}

std::string reason(const Result<VerifiedJws>& result) { return result.ok() ? "accepted" : result.error().reason; }

struct SignatureParts {
  std::string input;
  Bytes signature;
};

SignatureParts parts_of(const std::string& compact) {
  const auto dot = compact.rfind('.');
  return {compact.substr(0, dot), *from_base64url(compact.substr(dot + 1))};
}

}  // namespace

TEST_CASE("the signatures of RFC 7515 under RS256 and ES256 verify, but not without a kid", "[crypto][IAM-1]") {
  const Json files = vectors();
  const std::pair<const char*, JwsAlgorithm> positives[] = {{"rfc7515_A.2", JwsAlgorithm::kRs256},
                                                            {"rfc7515_A.3", JwsAlgorithm::kEs256}};
  for (const auto& [name, algorithm] : positives) {
    CAPTURE(name);
    const auto key = VerificationKey::from_jwk(public_part(files.at(std::string(name) + ".jwk")));
    REQUIRE(key.ok());
    const std::string compact = files.at(std::string(name) + ".jwsc");
    const auto parts = parts_of(compact);
    CHECK(key->verify(algorithm, view_of(parts.input), parts.signature).ok());
    CHECK_FALSE(key->verify(JwsAlgorithm::kPs256, view_of(parts.input), parts.signature).ok());
    for_each_flipped_bit(parts.signature, [&](ByteView changed, std::size_t bit) {
      if (bit % 16 == 0) CHECK_FALSE(key->verify(algorithm, view_of(parts.input), changed).ok());
    });
    CHECK(CompactJws::parse(compact).error().reason == "jws");
    CHECK_FALSE(VerificationKey::from_jwk(files.at(std::string(name) + ".jwk")).ok());  // holds the private part
  }
}

TEST_CASE("RFC 7520: RS256 with its kid is accepted, every other algorithm refused", "[crypto][IAM-1]") {
  const Json files = vectors();
  auto key = VerificationKey::from_jwk(public_part(files.at("rfc7520_4.1.jwk")));
  REQUIRE(key.ok());
  const KeySet keys = {{key->kid().value(), *key}};
  const auto verified = verify_jws(files.at("rfc7520_4.1.jwsc").get<std::string>(), keys);
  REQUIRE(verified.ok());
  CHECK(verified->kid == "bilbo.baggins@hobbiton.example");
  CHECK(verified->payload.substr(0, 6) == "It\xe2\x80\x99s");
  int refusals = 0;
  for (const char* name : {"rfc7515_A.1", "rfc7515_A.4", "rfc7515_A.5", "rfc7520_4.2", "rfc7520_4.3", "rfc7520_4.4",
                           "rfc7520_4.5"}) {
    CAPTURE(name);
    CHECK(reason(verify_jws(files.at(std::string(name) + ".jwsc").get<std::string>(), keys)) == "jws_algorithm");
    ++refusals;
  }
  CHECK(refusals == 7);
  for (const char* name : {"rfc7515_A.1.jwk", "rfc7515_A.4.jwk", "rfc7520_4.3.jwk", "rfc7520_4.4.jwk"})
    CHECK_FALSE(VerificationKey::from_jwk(public_part(files.at(name))).ok());
}

TEST_CASE("thumbprints are those of RFC 7638", "[crypto]") {
  const Json files = vectors();
  const auto rsa = VerificationKey::from_jwk(files.at("rfc7638_3.1.jwk"));
  REQUIRE(rsa.ok());
  CHECK(to_base64url(rsa->thumbprint()) == files.at("rfc7638_3.1.thp"));
  const auto key = P256PrivateKey::generate();
  const Json jwk = key.public_key().to_jwk();
  const std::string members = R"({"crv":"P-256","kty":"EC","x":")" + jwk.at("x").get<std::string>() + R"(","y":")" +
                              jwk.at("y").get<std::string>() + "\"}";
  CHECK(key.public_key().thumbprint() == sha256(view_of(members)));
  CHECK(verification_key(key.public_key()).thumbprint() == key.public_key().thumbprint());
}

TEST_CASE("a token we sign verifies under our key and under no other", "[crypto][IAM-10]") {
  const auto key = P256PrivateKey::generate();
  const std::string compact = sign_jws(key, kKid, {{"iss", "client"}, {"exp", 1}});
  const KeySet keys = {{kKid, verification_key(key.public_key())}};
  const auto verified = verify_jws(compact, keys);
  REQUIRE(verified.ok());
  CHECK(verified->payload == R"({"exp":1,"iss":"client"})");
  const KeySet others = {{kKid, verification_key(P256PrivateKey::generate().public_key())}};
  CHECK(reason(verify_jws(compact, others)) == "jws_signature");
  CHECK(verify_jws(compact, {}).error().code == Code::kWaiting);
}

TEST_CASE("one changed character anywhere spoils a token", "[crypto][IAM-1]") {
  const auto key = P256PrivateKey::generate();
  const std::string compact = sign_jws(key, kKid, {{"iss", "client"}});
  const KeySet keys = {{kKid, verification_key(key.public_key())}};
  for_each_flipped_bit(view_of(compact), [&](ByteView changed, std::size_t bit) {
    CAPTURE(bit);
    CHECK_FALSE(verify_jws(text_of(changed), keys).ok());
  });
  for (std::size_t size = 0; size < compact.size(); ++size) CHECK_FALSE(verify_jws(compact.substr(0, size), keys).ok());
}

TEST_CASE("headers that ask for anything but our algorithms and a kid are refused", "[crypto][IAM-1]") {
  const auto key = P256PrivateKey::generate();
  const KeySet keys = {{kKid, verification_key(key.public_key())}};
  const auto judged = [&](const std::string& header) { return reason(verify_jws(token(key, header), keys)); };
  CHECK(judged(R"({"alg":"ES256","kid":"key-1"})") == "accepted");
  for (const char* alg : {"none", "None", "HS256", "ES384", "ES256K", "RS1", "EdDSA", "es256", ""}) {
    CAPTURE(alg);
    CHECK(judged(R"({"kid":"key-1","alg":")" + std::string(alg) + "\"}") == "jws_algorithm");
  }
  CHECK(judged(R"({"alg":"RS256","kid":"key-1"})") == "jws_algorithm");  // the key is none for RSA
  CHECK(judged(R"({"alg":"ES256","kid":"key-1","crit":["exp"]})") == "jws_crit");
  CHECK(judged(R"({"alg":"ES256","kid":"key-1","crit":[]})") == "jws_crit");
  CHECK(judged(R"({"alg":"ES256","kid":"key-1","b64":false})") == "jws_crit");
  CHECK(judged(R"({"alg":"ES256"})") == "jws");
  CHECK(judged(R"({"alg":"ES256","kid":1})") == "jws");
  CHECK(judged(R"({"kid":"key-1"})") == "jws");
  CHECK(judged(R"({"alg":["ES256"],"kid":"key-1"})") == "jws");
  CHECK(judged(R"(["ES256"])") == "jws");
  CHECK(judged(R"({"alg":"none","alg":"ES256","kid":"key-1"})") == "json");
  CHECK(judged(R"({"alg":"ES256","kid":"key-1"} )" "x") == "json");
  CHECK(judged(R"({"alg":"ES256","kid":")" + std::string(kMaxKidBytes + 1, 'k') + "\"}") == "jws");
}

TEST_CASE("a key that the token brings along or points to is never used", "[crypto][IAM-1]") {
  const auto key = P256PrivateKey::generate();
  const auto attacker = P256PrivateKey::generate();
  const KeySet keys = {{kKid, verification_key(key.public_key())}};
  const std::string brought = R"({"alg":"ES256","kid":"key-1","jku":"https://attacker.example","x5u":"https://a.example",)"
                              R"("x5c":["MII"],"jwk":)" + attacker.public_key().to_jwk().dump() + "}";
  CHECK(reason(verify_jws(token(attacker, brought), keys)) == "jws_signature");
  CHECK(verify_jws(token(key, brought), keys).ok());  // ignored, so it harms nobody either
}

TEST_CASE("the form of a compact token is exact", "[crypto][IAM-1]") {
  const auto key = P256PrivateKey::generate();
  const KeySet keys = {{kKid, verification_key(key.public_key())}};
  const std::string good = sign_jws(key, kKid, Json::object());
  for (const std::string& bad : {good + ".", "." + good, good + "=", " " + good, good + "\n", std::string("."),
                                 std::string(".."), std::string("..."), std::string(kMaxJwsBytes + 1, 'a')})
    CHECK_FALSE(verify_jws(bad, keys).ok());
  const std::string large(kMaxJwsBytes, ' ');
  CHECK(reason(verify_jws(token(key, R"({"alg":"ES256","kid":"key-1"})", large), keys)) == "jws");
}

TEST_CASE("the JWK decides what its key is for", "[crypto][IAM-1]") {
  const auto key = P256PrivateKey::generate();
  const auto reading = [&](const Json& more) {
    Json jwk = key.public_key().to_jwk();
    jwk.update(more);
    return VerificationKey::from_jwk(jwk).ok();
  };
  CHECK(reading({{"alg", "ES256"}, {"use", "sig"}, {"kid", "k"}, {"x5t", "ignored"}}));
  CHECK(reading({{"key_ops", {"verify"}}}));
  CHECK_FALSE(reading({{"use", "enc"}}));
  CHECK_FALSE(reading({{"use", nullptr}}));
  CHECK_FALSE(reading({{"key_ops", {"sign"}}}));
  CHECK_FALSE(reading({{"key_ops", "verify"}}));
  CHECK_FALSE(reading({{"alg", "RS256"}}));
  CHECK_FALSE(reading({{"alg", "none"}}));
  CHECK_FALSE(reading({{"alg", nullptr}}));
  CHECK_FALSE(reading({{"kid", 1}}));
  CHECK_FALSE(reading({{"kid", std::string(kMaxKidBytes + 1, 'k')}}));
  CHECK_FALSE(reading({{"kty", "RSA"}}));
  CHECK_FALSE(reading({{"kty", "oct"}, {"k", "AAAA"}}));
  CHECK_FALSE(reading({{"d", to_base64url(key.scalar())}}));
  CHECK_FALSE(VerificationKey::from_jwk(Json::array()).ok());
  CHECK_FALSE(VerificationKey::from_jwk(nullptr).ok());
}
