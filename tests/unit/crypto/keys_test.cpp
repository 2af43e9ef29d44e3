#include "common/crypto/ed25519.h"
#include "common/crypto/p256.h"
#include "common/crypto/rsa.h"
#include "tests/unit/crypto/vectors.h"

using namespace tillsyn;
using namespace tillsyn::crypto;
using namespace tillsyn::test;

namespace {

const Bytes kMessage = bytes_of(view_of("open the camera of resident 7"));
const char* const kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

}  // namespace

TEST_CASE("a P-256 signature fits one key and one message", "[crypto]") {
  const auto key = P256PrivateKey::generate();
  const auto signature = key.sign(kMessage);
  CHECK(key.public_key().verify(kMessage, signature));
  CHECK(key.sign(kMessage) == signature);  // RFC 6979
  CHECK_FALSE(P256PrivateKey::generate().public_key().verify(kMessage, signature));
  CHECK_FALSE(key.public_key().verify(kMessage, ByteView(signature).first(63)));
  CHECK_FALSE(key.public_key().verify(kMessage, {}));
  for_each_flipped_bit(signature, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(key.public_key().verify(kMessage, changed));
  });
  for_each_flipped_bit(kMessage, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(key.public_key().verify(changed, signature));
  });
}

TEST_CASE("P-256 signing is RFC 6979's, to the byte", "[crypto]") {
  const auto key = P256PrivateKey::from_scalar(
      *from_hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"));  // RFC 6979 A.2.5
  REQUIRE(key.ok());
  CHECK(to_hex(key->sign(view_of("sample"))) ==
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
}

TEST_CASE("a stored P-256 key comes back as itself; scalars out of range do not", "[crypto]") {
  const auto key = P256PrivateKey::generate();
  CHECK(P256PrivateKey::from_scalar(key.scalar())->public_key() == key.public_key());
  CHECK_FALSE(P256PrivateKey::from_scalar(Bytes(32, 0)).ok());
  CHECK_FALSE(P256PrivateKey::from_scalar(*from_hex(kOrder)).ok());
  CHECK_FALSE(P256PrivateKey::from_scalar(Bytes(32, 0xff)).ok());
  CHECK_FALSE(P256PrivateKey::from_scalar(key.scalar().first(31)).ok());
  CHECK_FALSE(P256PrivateKey::from_scalar({}).ok());
}

TEST_CASE("only uncompressed points of the curve are P-256 keys", "[crypto]") {
  const auto key = P256PrivateKey::generate().public_key();
  CHECK(P256PublicKey::from_point(key.point()).ok());
  const ByteView point(key.point());
  CHECK_FALSE(P256PublicKey::from_point({}).ok());
  CHECK_FALSE(P256PublicKey::from_point(Bytes{0}).ok());  // infinity
  CHECK_FALSE(P256PublicKey::from_point(point.first(64)).ok());
  CHECK_FALSE(P256PublicKey::from_point(Bytes(65, 0)).ok());
  Bytes compressed = bytes_of(point.first(33));
  compressed[0] = static_cast<std::uint8_t>(2 | (point[64] & 1));
  CHECK_FALSE(P256PublicKey::from_point(compressed).ok());
  Bytes hybrid = bytes_of(point);
  hybrid[0] = static_cast<std::uint8_t>(6 | (point[64] & 1));
  CHECK_FALSE(P256PublicKey::from_point(hybrid).ok());
  for_each_flipped_bit(point, [](ByteView changed, std::size_t) {
    CHECK_FALSE(P256PublicKey::from_point(changed).ok());
  });
}

TEST_CASE("a P-256 JWK has one spelling", "[crypto]") {
  const auto key = P256PrivateKey::generate();
  const Json good = key.public_key().to_jwk();
  CHECK(*P256PublicKey::from_jwk(good) == key.public_key());
  const auto with = [&](const char* name, Json value) {
    Json jwk = good;
    jwk[name] = std::move(value);
    return P256PublicKey::from_jwk(jwk).ok();
  };
  const std::string x = good.at("x");
  CHECK_FALSE(with("d", to_base64url(key.scalar())));
  CHECK_FALSE(with("ext", true));
  CHECK_FALSE(with("kty", "OKP"));
  CHECK_FALSE(with("kty", "ec"));
  CHECK_FALSE(with("crv", "P-384"));
  CHECK_FALSE(with("crv", nullptr));
  CHECK_FALSE(with("x", x + "="));
  CHECK_FALSE(with("x", "AA" + x));
  CHECK_FALSE(with("x", x.substr(0, 42)));
  CHECK_FALSE(with("x", 5));
  CHECK_FALSE(with("y", x));
  for (const char* name : {"kty", "crv", "x", "y"}) {
    Json jwk = good;
    jwk.erase(name);
    CHECK_FALSE(P256PublicKey::from_jwk(jwk).ok());
    jwk["d"] = to_base64url(key.scalar());
    CHECK_FALSE(P256PublicKey::from_jwk(jwk).ok());
  }
  CHECK_FALSE(P256PublicKey::from_jwk(Json::array({1, 2, 3, 4})).ok());
}

TEST_CASE("both sides of an exchange come to the same secret", "[crypto]") {
  const auto one = P256PrivateKey::generate();
  const auto other = P256PrivateKey::generate();
  CHECK(bytes_of(one.ecdh(other.public_key()).view()) == bytes_of(other.ecdh(one.public_key()).view()));
  CHECK(bytes_of(one.ecdh(other.public_key()).view()) != bytes_of(one.ecdh(one.public_key()).view()));
}

TEST_CASE("an Ed25519 signature fits one key and one message", "[crypto][AUD-1]") {
  const auto key = Ed25519PrivateKey::generate();
  const auto signature = key.sign(kMessage);
  CHECK(key.public_key().verify(kMessage, signature));
  CHECK(Ed25519PrivateKey::from_seed(key.seed())->public_key() == key.public_key());
  CHECK_FALSE(Ed25519PrivateKey::generate().public_key().verify(kMessage, signature));
  CHECK_FALSE(key.public_key().verify(kMessage, ByteView(signature).first(63)));
  CHECK_FALSE(Ed25519PrivateKey::from_seed(Bytes(31, 1)).ok());
  for_each_flipped_bit(signature, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(key.public_key().verify(kMessage, changed));
  });
  for_each_flipped_bit(kMessage, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(key.public_key().verify(changed, signature));
  });
}

TEST_CASE("points of small order and foreign encodings are no Ed25519 keys", "[crypto][AUD-1]") {
  for (const char* bad :
       {"0000000000000000000000000000000000000000000000000000000000000000",    // order 4
        "0100000000000000000000000000000000000000000000000000000000000000",    // order 1
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",    // order 2
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",    // order 8
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",    // p, not reduced
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {  // above p
    CAPTURE(bad);
    CHECK_FALSE(Ed25519PublicKey::from_bytes(*from_hex(bad)).ok());
  }
  CHECK_FALSE(Ed25519PublicKey::from_bytes(Bytes(31, 1)).ok());
}

TEST_CASE("RSA keys that are small, even, endless or broken by design are refused", "[crypto][IAM-1]") {
  const Bytes exponent = {1, 0, 1};
  Bytes modulus(256, 0xc5);
  CHECK(RsaPublicKey::from_numbers(modulus, exponent).ok());
  CHECK(RsaPublicKey::from_numbers(modulus, Bytes{3}).ok());
  CHECK(RsaPublicKey::from_numbers(Bytes(512, 0xc5), exponent).ok());
  for (const Bytes& bad : {Bytes{}, Bytes{0}, Bytes{1}, Bytes{2}, Bytes{4}, Bytes{0, 3}, Bytes(9, 1)})
    CHECK_FALSE(RsaPublicKey::from_numbers(modulus, bad).ok());
  CHECK_FALSE(RsaPublicKey::from_numbers(Bytes(255, 0xc5), exponent).ok());
  CHECK_FALSE(RsaPublicKey::from_numbers(Bytes(513, 0xc5), exponent).ok());
  CHECK_FALSE(RsaPublicKey::from_numbers({}, exponent).ok());
  modulus.front() = 0x45;  // 2047 bits
  CHECK_FALSE(RsaPublicKey::from_numbers(modulus, exponent).ok());
  modulus.front() = 0xc5;
  modulus.back() = 0xc4;  // even
  CHECK_FALSE(RsaPublicKey::from_numbers(modulus, exponent).ok());
  const Json roca = load_vectors("wycheproof/json_web_key_test.json").at("testGroups").at(5).at("public").at("keys").at(0);
  const auto broken = RsaPublicKey::from_numbers(*from_base64url(roca.at("n").get<std::string>()), exponent);
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().message == "the key comes from a generator known to be broken");
}
