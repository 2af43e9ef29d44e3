#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;

namespace {

ByteArray<32> filled(std::uint8_t value) {
  ByteArray<32> out;
  out.fill(value);
  return out;
}

}  // namespace

// Reckoned with Python's hashlib from the definitions in PROTOCOL.md.
TEST_CASE("the bindings are the hashes that PROTOCOL.md defines", "[orders]") {
  CHECK(staff_nonce(filled(1), filled(2)) == "y-h7BT9Q2DfAJJQ2ZZI9x3zqaargdYIPe8ee_E8ccaw");
  CHECK(to_base64url(note_hash(filled(2), "Sover lugnt, åt höger")) == "wtWlmHuuazKh4HzJRIkIsUE9RbCL3TapuZZogwuMVPU");
  CHECK(to_base64url(name_hash(filled(2), "Åsa \"Ek\"", "Storgatan 1")) ==
        "u5bNArzzNhQupocs7PqlDV2Uvv4k_00oJwcxZoAAcNU");
  CHECK(person_slot({"https://id.example", "olle"}) == "person/uxHi-myv0tPUMwCvOGooPt6kFO1c1RUCUSJHnIeJ7Bk");
  CHECK(text_of(session_bytes("relay.example:443", filled(3))) ==
        std::string("tillsyn session v1\0relay.example:443\0", 37) + std::string(32, '\3'));
}

TEST_CASE("bindings differ with each of their parts", "[orders]") {
  CHECK(staff_nonce(filled(1), filled(2)) != staff_nonce(filled(2), filled(1)));
  CHECK(note_hash(filled(1), "a") != note_hash(filled(2), "a"));
  CHECK(name_hash(filled(1), "a", "b") != name_hash(filled(1), "b", "a"));
  CHECK(person_slot({"https://a", "b"}) != person_slot({"https://ab", ""}));
}

TEST_CASE("names are checked by their alphabet and length", "[orders]") {
  CHECK(is_slug("north-2"));
  CHECK_FALSE(is_slug(""));
  CHECK_FALSE(is_slug("North"));
  CHECK_FALSE(is_slug(std::string(33, 'a')));
  CHECK(is_identifier("234678"));
  CHECK_FALSE(is_identifier("234675"));  // no 5: it looks like S
  CHECK_FALSE(is_identifier("23467"));
  CHECK(is_short_code("WXYA"));
  CHECK_FALSE(is_short_code("wxya"));
  CHECK(is_https_origin("https://app.example:8443"));
  CHECK_FALSE(is_https_origin("https://app.example:0443"));
  CHECK_FALSE(is_https_origin("https://app.example:"));
  CHECK_FALSE(is_https_origin("https://user@app.example"));
  CHECK_FALSE(is_https_origin("https://app.example/x"));
  for (int i = 0; i < 9; ++i) {
    const auto role = static_cast<Role>(i);
    CHECK(role_named(role_name(role)) == role);
  }
  CHECK_FALSE(role_named("").has_value());
}
