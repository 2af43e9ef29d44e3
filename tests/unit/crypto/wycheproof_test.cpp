// Project Wycheproof: the edge cases and attacks that implementations of these primitives have fallen for.

#include "common/crypto/aead.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/hash.h"
#include "common/crypto/jws.h"
#include "common/crypto/p256.h"
#include "tests/unit/crypto/vectors.h"

using namespace tillsyn;
using namespace tillsyn::crypto;
using namespace tillsyn::test;

namespace {

// Calls `run(group, vector)` for each vector of `file`; `run` says whether it applied. Gives the number that did.
template <typename Run>
int for_each_vector(const std::string& file, Run run) {
  int count = 0;
  const Json vectors = load_vectors("wycheproof/" + file);
  for (const auto& group : vectors.at("testGroups"))
    for (const auto& vector : group.at("tests")) {
      CAPTURE(file, vector.at("tcId").get<int>());
      if (run(group, vector)) ++count;
    }
  return count;
}

bool is_valid(const Json& vector) { return vector.at("result") == "valid"; }

// Wycheproof writes scalars as integers: with a leading zero byte, or shorter than 32 bytes.
Bytes scalar_of(Bytes number) {
  while (number.size() > 32 && number.front() == 0) number.erase(number.begin());
  number.insert(number.begin(), 32 - number.size(), 0);
  return number;
}

using Hkdf = Result<Secret> (*)(ByteView, ByteView, ByteView, std::size_t);

int run_hkdf(const std::string& file, Hkdf hkdf) {
  return for_each_vector(file, [&](const Json&, const Json& vector) {
    const auto made = hkdf(hex(vector, "salt"), hex(vector, "ikm"), hex(vector, "info"), vector.at("size"));
    CHECK(made.ok() == is_valid(vector));
    if (made.ok()) CHECK(bytes_of(made->view()) == hex(vector, "okm"));
    return true;
  });
}

}  // namespace

TEST_CASE("AES-256-GCM seals and opens as published, and opens nothing that was changed", "[crypto][VID-3]") {
  const int run = for_each_vector("aes_gcm_test.json", [](const Json& group, const Json& vector) {
    if (group.at("keySize") != 256 || group.at("ivSize") != 96) return false;
    const Bytes key = hex(vector, "key"), nonce = hex(vector, "iv"), aad = hex(vector, "aad");
    Bytes sealed = hex(vector, "ct");
    append(sealed, hex(vector, "tag"));
    const AesKeyView key_view(key.data(), kAesKeyBytes);
    const GcmNonceView nonce_view(nonce.data(), kGcmNonceBytes);
    const auto opened = aes256gcm_open(key_view, nonce_view, aad, sealed);
    CHECK(opened.ok() == is_valid(vector));
    if (opened.ok()) CHECK(*opened == hex(vector, "msg"));
    CHECK((aes256gcm_seal(key_view, nonce_view, aad, hex(vector, "msg")) == sealed) == is_valid(vector));
    return true;
  });
  CHECK(run == 66);
}

TEST_CASE("ECDH takes uncompressed points of the curve and nothing else", "[crypto][VID-2]") {
  const int run = for_each_vector("ecdh_secp256r1_ecpoint_test.json", [](const Json&, const Json& vector) {
    const auto peer = P256PublicKey::from_point(hex(vector, "public"));
    // Compressed points are deliberately refused, also those that Wycheproof calls acceptable.
    CHECK(peer.ok() == is_valid(vector));
    const auto own = P256PrivateKey::from_scalar(scalar_of(hex(vector, "private")));
    REQUIRE(own.ok());
    if (peer.ok()) CHECK(bytes_of(own->ecdh(*peer).view()) == hex(vector, "shared"));
    return true;
  });
  CHECK(run == 355);
}

TEST_CASE("ECDH takes browser keys as JWK, and only sound ones", "[crypto][VID-2]") {
  const int run = for_each_vector("ecdh_secp256r1_webcrypto_test.json", [](const Json&, const Json& vector) {
    CHECK_FALSE(P256PublicKey::from_jwk(vector.at("public")).ok());  // as published they carry a kid, which is no part of a key
    Json jwk = vector.at("public");
    jwk.erase("kid");
    const auto peer = P256PublicKey::from_jwk(jwk);
    CHECK(peer.ok() == is_valid(vector));
    CHECK_FALSE(P256PublicKey::from_jwk(vector.at("private")).ok());
    if (!peer.ok()) return true;
    const auto own = P256PrivateKey::from_scalar(*from_base64url(vector.at("private").at("d").get<std::string>()));
    REQUIRE(own.ok());
    CHECK(bytes_of(own->ecdh(*peer).view()) == hex(vector, "shared"));
    CHECK(peer->to_jwk() == jwk);
    return true;
  });
  CHECK(run == 353);
}

TEST_CASE("ECDSA signatures are r and s of 32 bytes each, in range", "[crypto][IAM-1]") {
  const int run = for_each_vector("ecdsa_secp256r1_sha256_p1363_test.json", [](const Json& group, const Json& vector) {
    const auto key = P256PublicKey::from_point(hex(group.at("publicKey"), "uncompressed"));
    REQUIRE(key.ok());
    CHECK(key->verify(hex(vector, "msg"), hex(vector, "sig")) == is_valid(vector));
    return true;
  });
  CHECK(run == 262);
}

TEST_CASE("Ed25519 signatures have one spelling", "[crypto][AUD-1]") {
  const int run = for_each_vector("ed25519_test.json", [](const Json& group, const Json& vector) {
    const auto key = Ed25519PublicKey::from_bytes(hex(group.at("publicKey"), "pk"));
    REQUIRE(key.ok());
    CHECK(key->verify(hex(vector, "msg"), hex(vector, "sig")) == is_valid(vector));
    return true;
  });
  CHECK(run == 151);
}

TEST_CASE("HKDF derives as published and refuses more than 255 hashes", "[crypto]") {
  CHECK(run_hkdf("hkdf_sha256_test.json", hkdf_sha256) == 86);
  CHECK(run_hkdf("hkdf_sha512_test.json", hkdf_sha512) == 83);
}

TEST_CASE("HMAC-SHA-256 tags match whole", "[crypto]") {
  const int run = for_each_vector("hmac_sha256_test.json", [](const Json& group, const Json& vector) {
    const auto tag = hmac_sha256(hex(vector, "key"), hex(vector, "msg"));
    const std::size_t size = group.at("tagSize").get<std::size_t>() / 8;
    CHECK(constant_time_equal(ByteView(tag).first(size), hex(vector, "tag")) == is_valid(vector));
    return true;
  });
  CHECK(run == 174);
}

TEST_CASE("RSA PKCS#1 v1.5 padding is compared whole, never parsed", "[crypto][IAM-1]") {
  const int run = for_each_vector("rsa_signature_2048_sha256_test.json", [](const Json& group, const Json& vector) {
    const auto& numbers = group.at("publicKey");
    const auto strip = [](Bytes number) {
      while (number.front() == 0) number.erase(number.begin());
      return number;
    };
    const auto key = RsaPublicKey::from_numbers(strip(hex(numbers, "modulus")), strip(hex(numbers, "publicExponent")));
    REQUIRE(key.ok());
    CHECK(key->verify_rs256(hex(vector, "msg"), hex(vector, "sig")) == is_valid(vector));
    return true;
  });
  CHECK(run == 259);
}

// Which published tokens are ours to accept: valid ones under an algorithm of our list that the key's JWK agrees with.
TEST_CASE("JSON web signatures: only sound ones, only our algorithms", "[crypto][IAM-1]") {
  int accepted = 0;
  const int run = for_each_vector("json_web_signature_test.json", [&](const Json& group, const Json& vector) {
    const Json& jwk = group.contains("public") ? group.at("public") : group.at("private");
    const auto key = VerificationKey::from_jwk(jwk);
    const std::string alg = jwk.value("alg", "");
    const bool ours = alg == "RS256" || alg == "PS256" || alg == "ES256";
    // RFC 7520 figure 20 is signed under PS384, which is none of ours, with a key named PS256.
    const bool accept = is_valid(vector) && ours && vector.at("comment") != "Figure20";
    KeySet keys;
    if (key.ok()) keys.emplace(key->kid().value(), *key);
    const auto verified = verify_jws(vector.at("jws").is_string() ? vector.at("jws").get<std::string>()
                                                                  : vector.at("jws").dump(),
                                     keys);
    CHECK(verified.ok() == accept);
    accepted += verified.ok();
    return true;
  });
  CHECK(run == 401);
  CHECK(accepted == 16);
}

TEST_CASE("JSON web keys: broken, mixed, misused and symmetric ones are refused", "[crypto][IAM-1]") {
  int accepted = 0;
  const int run = for_each_vector("json_web_key_test.json", [&](const Json& group, const Json& vector) {
    KeySet keys;
    for (const auto& jwk : (group.contains("public") ? group.at("public") : group.at("private")).at("keys")) {
      const auto key = VerificationKey::from_jwk(jwk);
      if (key.ok()) keys.emplace(key->kid().value(), *key);
    }
    const bool ours = vector.at("jws").get<std::string>().find(to_base64url(view_of(R"({"alg":"HS)")).substr(0, 12)) != 0;
    const auto verified = verify_jws(vector.at("jws").get<std::string>(), keys);
    CHECK(verified.ok() == (is_valid(vector) && ours));
    accepted += verified.ok();
    return true;
  });
  CHECK(run == 26);
  CHECK(accepted == 1);
}
