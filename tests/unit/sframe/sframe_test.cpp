#include "common/sframe/sframe.h"

#include <limits>

#include "common/crypto/random.h"
#include "common/sframe/cipher.h"
#include "tests/unit/crypto/vectors.h"

using namespace tillsyn;
using namespace tillsyn::sframe;
using namespace tillsyn::test;

namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

const Bytes kMetadata = bytes_of(view_of("metadata"));
const Bytes kPicture(50, 0xab);

Bytes encoded(Header header) {
  Bytes out;
  append_header(out, header);
  return out;
}

Json suite_5() {
  const Json vectors = load_vectors("sframe_rfc9605.json");
  for (const auto& vector : vectors.at("sframe"))
    if (vector.at("cipher_suite") == 5) return vector;
  FAIL("no vector of suite 5");
  return {};
}

Bytes sealed_by(Sealer& sealer) {
  Bytes out;
  REQUIRE(sealer.seal(kMetadata, kPicture, out).ok());
  return out;
}

}  // namespace

TEST_CASE("every published header is written and read, up to 64 bits", "[sframe][VID-2]") {
  int headers = 0, widest = 0;
  const Json vectors = load_vectors("sframe_rfc9605.json");
  for (const auto& vector : vectors.at("header")) {
    const Header header = {vector.at("kid").get<std::uint64_t>(), vector.at("ctr").get<std::uint64_t>()};
    const Bytes wire = hex(vector, "encoded");
    CAPTURE(header.kid, header.ctr);
    CHECK(encoded(header) == wire);
    const auto decoded = decode_header(wire);
    REQUIRE(decoded.ok());
    CHECK(decoded->header == header);
    CHECK(decoded->size == wire.size());
    for (std::size_t size = 0; size < wire.size(); ++size) CHECK_FALSE(decode_header(ByteView(wire).first(size)).ok());
    ++headers;
    widest += header.kid == kLast && header.ctr == kLast;
  }
  CHECK(headers == 289);
  CHECK(widest == 1);
}

TEST_CASE("a header has one spelling: every longer one is refused", "[sframe][VID-2]") {
  for (const char* bad : {"0800", "0807", "090008", "0900ff", "0a000100", "0f00000000000000ff", "8000", "8007", "900008",
                          "880700", "8800ff", "98000808", "f800ffffffffffffff08"}) {
    CAPTURE(bad);
    CHECK_FALSE(decode_header(*from_hex(bad)).ok());
  }
  CHECK(decode_header(*from_hex("0808")).ok());
  CHECK(decode_header(*from_hex("8808ff")).ok());
}

TEST_CASE("keys and object of the published vector of suite 5", "[sframe][VID-2]") {
  const Json vector = suite_5();
  const auto kid = vector.at("kid").get<std::uint64_t>(), ctr = vector.at("ctr").get<std::uint64_t>();
  const auto keys = derive_keys(hex(vector, "base_key"), kid);
  CHECK(bytes_of(keys.key.view()) == hex(vector, "sframe_key"));
  CHECK(bytes_of(keys.salt.view()) == hex(vector, "sframe_salt"));
  Cipher cipher(hex(vector, "base_key"), kid);
  Bytes object;
  cipher.seal_at(ctr, hex(vector, "metadata"), hex(vector, "pt"), object);
  CHECK(object == hex(vector, "ct"));
  const auto opened = cipher.open(object, hex(vector, "metadata"));
  REQUIRE(opened.ok());
  CHECK(opened->ctr == ctr);
  CHECK(opened->plaintext == hex(vector, "pt"));
}

TEST_CASE("a stream counts from 0 by 1 and opens to what was sealed", "[sframe][VID-2]") {
  const auto key = crypto::random_array<32>();
  Sealer sealer(key, 0);
  Opener opener(key, 0);
  for (std::uint64_t ctr = 0; ctr < 300; ++ctr) {
    const auto opened = opener.open(sealed_by(sealer), kMetadata);
    REQUIRE(opened.ok());
    CHECK(opened->ctr == ctr);
    CHECK(opened->plaintext == kPicture);
  }
}

TEST_CASE("objects are appended after what the buffer holds", "[sframe]") {
  const auto key = crypto::random_array<32>();
  Sealer sealer(key, 0);
  Opener opener(key, 0);
  Bytes out = {1, 2, 3};
  REQUIRE(sealer.seal(kMetadata, kPicture, out).ok());
  CHECK(bytes_of(ByteView(out).first(3)) == Bytes{1, 2, 3});
  CHECK(opener.open(ByteView(out).subspan(3), kMetadata).ok());
}

TEST_CASE("no CTR comes twice: after the last there is none", "[sframe][VID-3]") {
  CounterSequence counters(kLast - 1);
  CHECK(*counters.take() == kLast - 1);
  CHECK(*counters.take() == kLast);
  for (int again = 0; again < 3; ++again) CHECK(counters.take().error().reason == "sframe_exhausted");
  CHECK(*CounterSequence().take() == 0);
}

TEST_CASE("one changed bit of object or metadata, and it does not open", "[sframe][VID-2]") {
  const auto key = crypto::random_array<32>();
  Sealer sealer(key, 9);
  Opener opener(key, 9);
  const Bytes object = sealed_by(sealer);
  REQUIRE(opener.open(object, kMetadata).ok());
  for_each_flipped_bit(object, [&](ByteView changed, std::size_t) { CHECK_FALSE(opener.open(changed, kMetadata).ok()); });
  for_each_flipped_bit(kMetadata, [&](ByteView changed, std::size_t) { CHECK_FALSE(opener.open(object, changed).ok()); });
  for (std::size_t size = 0; size < object.size(); ++size)
    CHECK_FALSE(opener.open(ByteView(object).first(size), kMetadata).ok());
}

TEST_CASE("an object opens under its own key and key id only", "[sframe][VID-2]") {
  const auto key = crypto::random_array<32>();
  Sealer sealer(key, 1);
  const Bytes object = sealed_by(sealer);
  CHECK(Opener(key, 2).open(object, kMetadata).error().reason == "sframe_kid");
  CHECK(Opener(crypto::random_array<32>(), 1).open(object, kMetadata).error().reason == "aead");
  CHECK(Opener(key, 1).open(object, kMetadata).ok());
}
