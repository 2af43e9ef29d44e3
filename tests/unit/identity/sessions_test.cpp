#include "relay/identity/sessions.h"

#include "common/orders/bindings.h"
#include "tests/unit/care/town.h"

namespace tillsyn::town {
namespace {

using identity::Sessions;

constexpr const char* kHost = "relay.example:443";

ByteArray<32> challenge_bytes(const std::string& challenge) { return *from_base64url_exact<32>(challenge); }

// What the staff app sends.
Json request(const Staff& staff, const std::string& challenge, const std::string& host = kHost) {
  return {{"challenge", challenge},
          {"provider", OrderMaker::kProvider},
          {"key", staff.key.public_key().to_jwk()},
          {"salt", to_base64url(staff.salt)},
          {"id_token", staff.id_token},
          {"sig", to_base64url(staff.key.sign(orders::session_bytes(host, challenge_bytes(challenge))))}};
}

struct Door : Town {
  Door() { hire(); }
  Result<Sessions::Opened> open(const Json& body, const std::string& host = kHost) {
    return services->sessions().open(body, host, provider(), trusted(), now);
  }
  std::string challenge() { return services->sessions().challenge(now); }
  Result<Sessions::Opened> enter(const Staff& staff) { return open(request(staff, challenge())); }
};

TEST_CASE("the staff key and its ID token open a session that says who and what", "[identity][IAM-1]") {
  Door door;
  const Staff olle = door.maker.login("olle", Role::kOperator);
  const auto opened = door.enter(olle);
  REQUIRE(opened.ok());
  CHECK(opened->session.person == olle.person);
  REQUIRE(opened->rights.size() == 1);
  CHECK(opened->rights[0].role == Role::kOperator);
  const auto session = door.services->sessions().authenticate(opened->token, door.now);
  REQUIRE(session.ok());
  CHECK(session->provider == OrderMaker::kProvider);
}

TEST_CASE("every other way in is refused, and says why", "[identity][IAM-1][IAM-2]") {
  Door door;
  Staff olle = door.maker.login("olle", Role::kOperator);
  const std::string challenge = door.challenge();
  Json body = request(olle, challenge);
  std::string host = kHost;
  std::string expected;
  SECTION("a challenge that nobody gave") {
    body = request(olle, to_base64url(fakes::bytes32("own")));
    expected = "unknown_challenge";
  }
  SECTION("a challenge used before") {
    REQUIRE(door.open(body).ok());
    expected = "unknown_challenge";
  }
  SECTION("a challenge used before by a failure") {
    Json wrong = body;
    wrong["sig"] = request(door.maker.login("pia", Role::kPlanner), challenge)["sig"];
    REQUIRE_FALSE(door.open(wrong).ok());
    expected = "unknown_challenge";
  }
  SECTION("a challenge too old") {
    door.now += std::chrono::seconds(61);
    expected = "unknown_challenge";
  }
  SECTION("signed for another relay") {
    body = request(olle, challenge, "evil.example:443");
    expected = "bad_signature";
  }
  SECTION("called by another relay's name") {
    host = "evil.example:443";
    body = request(olle, challenge, host);
    expected = "wrong_relay";
  }
  SECTION("signed by another key") {
    body["sig"] = request(door.maker.login("pia", Role::kPlanner), challenge)["sig"];
    expected = "bad_signature";
  }
  SECTION("another person's ID token") {
    body["id_token"] = door.maker.login("pia", Role::kPlanner).id_token;
    expected = "nonce_mismatch";
  }
  SECTION("another salt") {
    body["salt"] = to_base64url(fakes::bytes32("salt"));
    expected = "nonce_mismatch";
  }
  SECTION("an assurance level that is too low") {
    olle.claims["acr"] = "http://id.sambi.se/loa/loa2";
    expected = "acr_too_low";
  }
  SECTION("another client's token") {
    olle.claims["aud"] = "another";
    expected = "wrong_audience";
  }
  SECTION("an issuer that is not listed") {
    olle.claims["iss"] = "https://id.evil.example";
    expected = "unknown_issuer";
  }
  SECTION("a login that is too old") {
    olle.claims["auth_time"] = olle.claims["auth_time"].get<std::int64_t>() - 13 * 3600;
    expected = "auth_too_old";
  }
  SECTION("a bundle that has run out") {
    door.now = door.maker.bundle.expires_at;
    body = request(olle, door.challenge());
    expected = "bundle_expired";
  }
  SECTION("somebody without any right") {
    body = request(door.maker.login("nobody", Role::kOperator), challenge);
    expected = "no_grant";
  }
  SECTION("a member too many") {
    body["role"] = "manager";
    expected = "malformed";
  }
  SECTION("a key with its private part") {
    body["key"]["d"] = body["key"]["x"];
    expected = "malformed";
  }
  if (expected == "acr_too_low" || expected == "wrong_audience" || expected == "unknown_issuer" ||
      expected == "auth_too_old") {
    olle.id_token = door.maker.issuers[0].sign(olle.claims);
    body = request(olle, challenge);
  }
  const auto refused = door.open(body, host);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == expected);
}

TEST_CASE("a session ends with inactivity, at the login's greatest age, and at logout", "[identity][SES-8]") {
  Door door;
  auto& sessions = door.services->sessions();
  const auto opened = door.enter(door.maker.login("olle", Role::kOperator));
  REQUIRE(opened.ok());
  SECTION("unused for a quarter of an hour") {
    CHECK(sessions.authenticate(opened->token, door.now + std::chrono::minutes(14)).ok());
    CHECK(sessions.authenticate(opened->token, door.now + std::chrono::minutes(28)).ok());
    CHECK(sessions.authenticate(opened->token, door.now + std::chrono::minutes(43)).error().reason == "no_session");
    CHECK_FALSE(sessions.authenticate(opened->token, door.now + std::chrono::minutes(29)).ok());
  }
  SECTION("looked up, which is no use") {
    CHECK(sessions.look_up(opened->token, door.now + std::chrono::minutes(14)).ok());
    CHECK_FALSE(sessions.look_up(opened->token, door.now + std::chrono::minutes(15)).ok());
    CHECK_FALSE(sessions.authenticate(opened->token, door.now + std::chrono::minutes(15)).ok());
  }
  SECTION("used without pause past max_auth_age") {
    Instant at = door.now;
    for (; at < door.now + std::chrono::hours(12) - std::chrono::minutes(11); at += std::chrono::minutes(10)) {
      REQUIRE(sessions.authenticate(opened->token, at).ok());
    }
    CHECK_FALSE(sessions.authenticate(opened->token, at + std::chrono::minutes(10)).ok());
  }
  SECTION("logged out") {
    CHECK(sessions.close(opened->token, door.now).has_value());
    CHECK_FALSE(sessions.authenticate(opened->token, door.now).ok());
    CHECK_FALSE(sessions.close(opened->token, door.now).has_value());
  }
}

TEST_CASE("tokens that were never given open nothing", "[identity]") {
  Door door;
  const auto opened = door.enter(door.maker.login("olle", Role::kOperator));
  for (std::string token : {std::string(), std::string("x"), to_base64url(fakes::bytes32("guess")), opened->token + "A",
                            opened->token.substr(1)}) {
    CHECK_FALSE(door.services->sessions().authenticate(token, door.now).ok());
  }
}

TEST_CASE("one login cannot use up the sessions of others", "[identity][AVA-6]") {
  Sessions::Terms terms;
  terms.max_of_person = 2;
  terms.max_of_provider = 3;
  Door door;
  Sessions sessions(terms);
  const auto enter = [&](const char* name) {
    door.now += std::chrono::seconds(1);
    const auto body = request(door.maker.login(name, Role::kOperator), sessions.challenge(door.now));
    return sessions.open(body, kHost, door.provider(), door.trusted(), door.now);
  };
  const auto first = enter("olle");
  const auto second = enter("olle");
  const auto third = enter("olle");
  REQUIRE(third.ok());
  CHECK_FALSE(sessions.look_up(first->token, door.now).ok());
  CHECK(sessions.look_up(second->token, door.now).ok());
  REQUIRE(enter("pia").ok());
  CHECK(enter("pia").error().reason == "too_many_sessions");
  CHECK(enter("olle").ok());  // in the place of one of its own
}

TEST_CASE("whose session a token is can be told without the store, until it ends", "[identity][AVA-6]") {
  Door door;
  auto& services = *door.services;
  const auto opened = door.enter(door.maker.login("olle", Role::kOperator));
  CHECK(services.provider_of_token(opened->token) == OrderMaker::kProvider);
  CHECK(services.provider_of_token(to_base64url(fakes::bytes32("guess"))).empty());
  CHECK(services.provider_of_token("x").empty());
  SECTION("logged out") { services.sessions().close(opened->token, door.now); }
  SECTION("run out, once it is asked for") {
    door.now += std::chrono::minutes(16);
    CHECK_FALSE(services.sessions().authenticate(opened->token, door.now).ok());
  }
  CHECK(services.provider_of_token(opened->token).empty());
}

TEST_CASE("challenges are forgotten, oldest first, before they fill the memory", "[identity]") {
  Sessions::Terms terms;
  terms.max_challenges = 4;
  Door door;
  Sessions sessions(terms);
  const Staff olle = door.maker.login("olle", Role::kOperator);
  const auto first = sessions.challenge(door.now);
  for (int i = 0; i < 4; ++i) sessions.challenge(door.now + std::chrono::seconds(1));
  CHECK(sessions.open(request(olle, first), kHost, door.provider(), door.trusted(), door.now).error().reason ==
        "unknown_challenge");
}

TEST_CASE("a trust machine opens a session by a bundle key of the root list", "[identity][AUD-1]") {
  Door door;
  const auto challenge = door.challenge();
  const auto key = fakes::ed25519_key("bundle");
  Json body = {{"challenge", challenge},
               {"provider", OrderMaker::kProvider},
               {"bundle_key", to_base64url(key.public_key().bytes())},
               {"sig", to_base64url(key.sign(orders::session_bytes(kHost, challenge_bytes(challenge))))}};
  SECTION("good") {
    const auto opened = door.open(body);
    REQUIRE(opened.ok());
    CHECK(opened->session.is_trust_machine);
    CHECK(opened->rights.empty());
  }
  SECTION("a key that is not listed") {
    const auto thief = fakes::ed25519_key("thief");
    body["bundle_key"] = to_base64url(thief.public_key().bytes());
    body["sig"] = to_base64url(thief.sign(orders::session_bytes(kHost, challenge_bytes(challenge))));
    CHECK(door.open(body).error().reason == "bad_signature");
  }
  SECTION("another's signature") {
    body["sig"] =
        to_base64url(fakes::ed25519_key("thief").sign(orders::session_bytes(kHost, challenge_bytes(challenge))));
    CHECK(door.open(body).error().reason == "bad_signature");
  }
}

}  // namespace
}  // namespace tillsyn::town
