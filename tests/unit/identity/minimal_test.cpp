#include "relay/identity/minimal.h"

#include <catch2/catch.hpp>

#include "common/base/bytes.h"
#include "common/base/json.h"

namespace tillsyn::identity {
namespace {

std::string token(const Json& claims) { return "e30." + to_base64url(view_of(claims.dump())) + ".AAAA"; }

const Json kBare = {{"iss", "https://idp.example"},
                    {"sub", "anna"},
                    {"aud", "tillsyn"},
                    {"acr", "loa3"},
                    {"nonce", "n"},
                    {"sid", "s"},
                    {"amr", {"mfa"}},
                    {"tid", "an identity provider's own"}};

}  // namespace

TEST_CASE("an ID token says who somebody is and nothing more of the person", "[identity][PRI-10]") {
  CHECK(check_minimal(token(kBare), "sub").ok());
  for (const char* claim : {"name", "given_name", "email", "phone_number", "birthdate", "address", "picture",
                            "preferred_username", "https://id.oidc.se/claim/personalIdentityNumber"}) {
    INFO(claim);
    Json more = kBare;
    more[claim] = "anna.berg@nord.example";
    const auto refused = check_minimal(token(more), "sub");
    CHECK(refused.error().reason == "too_many_claims");
    CHECK(refused.error().message.find(claim) != std::string::npos);
    CHECK(refused.error().message.find("anna.berg") == std::string::npos);
    CHECK(check_minimal(token(more), claim).ok());  // the one that the root list names
  }
}

TEST_CASE("what is no token is refused", "[identity]") {
  for (const char* text : {"", ".", "..", "a.b", "a.!.c", "a.bnVsbA.c", "a.eyJh.c"}) {
    INFO(text);
    CHECK_FALSE(check_minimal(text, "sub").ok());
  }
}

}  // namespace tillsyn::identity
