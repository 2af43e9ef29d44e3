#include <catch2/catch.hpp>

#include "common/base/bytes.h"
#include "common/base/instant.h"
#include "common/base/json.h"

using namespace tillsyn;

TEST_CASE("base64url has exactly one spelling for a value", "[base]") {
  CHECK(to_base64url(view_of("\xff\xfe\xfd")) == "__79");
  CHECK(text_of(*from_base64url("Zm9vYg")) == "foob");
  for (const char* bad : {"Zm9vYg==", "Zm9vYh", "Z", "Zm9v Yg", "Zm9v+g", "Zm9vYg\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64url(bad).ok());
  }
}

TEST_CASE("base64 wants its padding", "[base]") {
  CHECK(text_of(*from_base64("Zm9vYg==")) == "foob");
  CHECK(to_base64(view_of("foob")) == "Zm9vYg==");
  for (const char* bad : {"Zm9vYg", "Zm9vYg=", "Zm9vYg===", "====", "Zm9vYh=="}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad).ok());
  }
}

TEST_CASE("signed JSON is read strictly", "[base]") {
  CHECK(parse_json(R"({"a":1,"b":[true,null,"å"]})").ok());
  for (const char* bad :
       {R"({"a":1,"a":2})", R"({"a":{"b":1,"b":1}})", R"({"a":1.0})", R"({"a":1e3})", R"({"a":9007199254740992})",
        R"({"a":-9007199254740992})", R"({"a":-0})", R"({"a":01})", R"({"a":1} x)", "{\"a\":\"\xc0\xaf\"}",
        R"({"a":"\ud800"})", "{\"a\":\"\xed\xa0\x80\"}", "\xef\xbb\xbf{}", R"({"a":1,})", "", "// c\n{}", R"({"a":NaN})",
        "{\"a\":\"\n\"}"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_json(bad).ok());
  }
  CHECK(parse_json(R"({"a":9007199254740991,"b":"-0"})").ok());
}

TEST_CASE("JSON deeper or longer than its limits is refused", "[base]") {
  CHECK(parse_json(std::string(16, '[') + std::string(16, ']')).ok());
  CHECK_FALSE(parse_json(std::string(17, '[') + std::string(17, ']')).ok());
  CHECK_FALSE(parse_json("\"" + std::string(100, 'x') + "\"", {.max_bytes = 100, .max_depth = 4}).ok());
}

TEST_CASE("a reader refuses unknown, missing and mistyped members", "[base]") {
  const Json json = *parse_json(R"({"n":5,"t":"x","b":"AAAA"})");
  {
    JsonReader in(json, "thing");
    CHECK(in.integer("n", 0, 9) == 5);
    CHECK(in.text("t", 4) == "x");
    CHECK(in.bytes("b", 3) == Bytes{0, 0, 0});
    CHECK(in.finish().ok());
  }
  {
    JsonReader in(json, "thing");
    in.integer("n", 0, 9);
    CHECK(in.finish().error().message == "thing.b is not known");
  }
  {
    JsonReader in(json, "thing");
    in.integer("n", 6, 9);
    CHECK_FALSE(in.finish().ok());
  }
  {
    JsonReader in(json, "thing");
    in.text("missing", 9);
    CHECK(in.finish().error().message == "thing.missing is missing");
  }
}

TEST_CASE("canonical JSON follows RFC 8785", "[base]") {
  // RFC 8785 §3.2.3: the order of members is that of UTF-16 code units.
  const Json json = *parse_json(
      "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\","
      "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
      "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}");
  CHECK(canonical_json(json) ==
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"Latin Small Letter O With "
        "Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\",\"\xef\xac\xb3\":"
        "\"Hebrew Letter Dalet With Dagesh\"}");
  CHECK(canonical_json(*parse_json("{ \"b\" : [ 1 , -2 ], \"a\":\"\\u001f\\/\" }")) == "{\"a\":\"\\u001f/\",\"b\":[1,-2]}");
}

TEST_CASE("a time has exactly one spelling", "[base][LOG-14]") {
  CHECK(format_instant(*parse_instant("2026-03-29T00:59:59Z")) == "2026-03-29T00:59:59Z");
  for (const char* bad : {"2026-03-29T00:59:59+00:00", "2026-03-29t00:59:59z", "2026-02-29T00:00:00Z",
                          "2026-03-29T24:00:00Z", "2026-03-29T00:59:60Z", "2026-03-29T00:59:59.0Z", "2026-3-29T00:59:59Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_instant(bad).ok());
  }
}

TEST_CASE("UTF-8 is judged by the Unicode table", "[base]") {
  CHECK(is_valid_utf8("å\xf0\x9f\x98\x80"));
  for (const char* bad : {"\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xc3"}) {
    CHECK_FALSE(is_valid_utf8(bad));
  }
}
