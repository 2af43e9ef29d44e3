#include <algorithm>
#include <type_traits>

#include "common/crypto/aead.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/crypto/secret.h"
#include "tests/unit/crypto/vectors.h"

using namespace tillsyn;
using namespace tillsyn::crypto;
using namespace tillsyn::test;

TEST_CASE("hashes are those of FIPS 180-4", "[crypto]") {
  CHECK(to_hex(sha256(view_of("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha512(view_of("abc"))).substr(0, 32) == "ddaf35a193617abacc417349ae204131");
}

TEST_CASE("a hash of parts is the hash of the whole", "[crypto]") {
  const Bytes whole(1000, 9);
  for (const std::size_t cut : {0u, 1u, 63u, 64u, 65u, 999u, 1000u}) {
    Sha256 hash;
    hash.update(ByteView(whole).first(cut)).update({}).update(ByteView(whole).subspan(cut));
    CHECK(hash.finish() == sha256(whole));
  }
}

TEST_CASE("comparison finds every difference", "[crypto]") {
  const Bytes bytes(32, 3);
  CHECK(constant_time_equal(bytes, bytes));
  CHECK(constant_time_equal({}, {}));
  CHECK_FALSE(constant_time_equal(bytes, ByteView(bytes).first(31)));
  for_each_flipped_bit(bytes, [&](ByteView changed, std::size_t) { CHECK_FALSE(constant_time_equal(bytes, changed)); });
}

TEST_CASE("one bit of key or message changes a MAC and a derived key", "[crypto]") {
  const Bytes key(32, 1), message(16, 2);
  const auto tag = hmac_sha256(key, message);
  const auto derived = bytes_of(hkdf_sha256({}, key, message, 32)->view());
  for_each_flipped_bit(key, [&](ByteView changed, std::size_t) {
    CHECK(hmac_sha256(changed, message) != tag);
    CHECK(bytes_of(hkdf_sha256({}, changed, message, 32)->view()) != derived);
  });
  for_each_flipped_bit(message, [&](ByteView changed, std::size_t) {
    CHECK(hmac_sha256(key, changed) != tag);
    CHECK(bytes_of(hkdf_sha256({}, key, changed, 32)->view()) != derived);
  });
}

TEST_CASE("HKDF refuses no bytes, too many, and a key shorter than a hash", "[crypto]") {
  const Bytes key(64, 1);
  CHECK(hkdf_sha256_expand(key, {}, 255 * 32).ok());
  CHECK(hkdf_sha512_expand(key, {}, 255 * 64).ok());
  CHECK_FALSE(hkdf_sha256_expand(key, {}, 255 * 32 + 1).ok());
  CHECK_FALSE(hkdf_sha512_expand(key, {}, 255 * 64 + 1).ok());
  CHECK_FALSE(hkdf_sha256_expand(key, {}, 0).ok());
  CHECK_FALSE(hkdf_sha512_expand(ByteView(key).first(63), {}, 32).ok());
  CHECK_FALSE(hkdf_sha256_expand({}, {}, 32).ok());
}

TEST_CASE("what was sealed opens only untouched, under its key, nonce and data", "[crypto][VID-3]") {
  const auto key = random_array<32>();
  const auto nonce = random_array<12>();
  const Bytes aad = bytes_of(view_of("stream")), plaintext = bytes_of(view_of("a picture"));
  const Bytes sealed = aes256gcm_seal(key, nonce, aad, plaintext);
  CHECK(*aes256gcm_open(key, nonce, aad, sealed) == plaintext);
  for_each_flipped_bit(sealed, [&](ByteView changed, std::size_t) {
    const auto opened = aes256gcm_open(key, nonce, aad, changed);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().reason == "aead");
  });
  for_each_flipped_bit(aad, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(aes256gcm_open(key, nonce, changed, sealed).ok());
  });
  for_each_flipped_bit(key, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(aes256gcm_open(changed.first<32>(), nonce, aad, sealed).ok());
  });
  for_each_flipped_bit(nonce, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(aes256gcm_open(key, changed.first<12>(), aad, sealed).ok());
  });
  for (std::size_t size = 0; size < sealed.size(); ++size)
    CHECK_FALSE(aes256gcm_open(key, nonce, aad, ByteView(sealed).first(size)).ok());
}

TEST_CASE("a kept cipher seals in place, and leaves no plaintext of what it refuses", "[crypto][VID-3]") {
  Aes256Gcm cipher(random_array<32>());
  const auto nonce = random_array<12>();
  const Bytes plaintext(100, 5);
  Bytes buffer = plaintext;
  buffer.resize(plaintext.size() + kGcmTagBytes);
  cipher.seal(nonce, {}, ByteView(buffer).first(plaintext.size()), buffer);
  Bytes out(plaintext.size());
  CHECK(cipher.open(nonce, {}, buffer, out).ok());
  CHECK(out == plaintext);
  buffer.back() ^= 1;
  CHECK_FALSE(cipher.open(nonce, {}, buffer, out).ok());
  CHECK(out == Bytes(plaintext.size(), 0));
  CHECK(cipher.open(nonce, {}, ByteView(buffer).first(15), {}).error().code == Code::kMalformed);
}

TEST_CASE("an empty message seals to a tag", "[crypto][VID-3]") {
  const auto key = random_array<32>();
  const auto nonce = random_array<12>();
  const Bytes sealed = aes256gcm_seal(key, nonce, {}, {});
  CHECK(sealed.size() == kGcmTagBytes);
  CHECK(aes256gcm_open(key, nonce, {}, sealed)->empty());
}

TEST_CASE("a secret has one owner", "[crypto]") {
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  Secret one = Secret::copy_of(view_of("key"));
  Secret two = std::move(one);
  CHECK(one.empty());
  CHECK(text_of(two.view()) == "key");
  Secret three(5);
  CHECK(bytes_of(three.view()) == Bytes(5, 0));
  three = std::move(two);
  CHECK(two.empty());
  CHECK(text_of(three.view()) == "key");
  CHECK(Secret(0).empty());
  CHECK(bytes_of(Secret::random(32).view()) != bytes_of(Secret::random(32).view()));
}

TEST_CASE("random bytes fill all that was asked for and do not repeat", "[crypto]") {
  Bytes large(100'000, 0);
  random_bytes(large);
  CHECK(std::count(large.begin(), large.end(), 0) < 1000);
  CHECK(random_array<16>() != random_array<16>());
  random_bytes({});
}

TEST_CASE("wiping leaves zeros", "[crypto]") {
  Bytes bytes(40, 7);
  wipe(bytes);
  CHECK(bytes == Bytes(40, 0));
}
