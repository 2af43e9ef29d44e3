#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

std::int64_t unix_seconds(Instant time) { return std::chrono::duration_cast<seconds>(time.time_since_epoch()).count(); }

}  // namespace

TEST_CASE("every type of order is accepted from the people it takes", "[orders][IAM-1][IAM-2][IAM-5]") {
  const Scene s;
  const auto accepted = [&](Body body, std::vector<const Staff*> signers) {
    CAPTURE(type_name(body));
    CHECK(said(s.judged(s.maker.order(std::move(body), signers))) == "accepted");
  };
  accepted(s.maker.grant_of({s.maker.issuers[0].url(), "nina"}, Role::kOperator), {&s.mia, &s.rut});
  accepted(s.revoke(s.olle), {&s.rut});
  accepted(OrderMaker::device(s.device_key.public_key()), {&s.tore});
  accepted(OrderMaker::assignment(s.home), {&s.inga});
  accepted(OrderMaker::acceptance(s.home, s.standing[1].hash), {&s.inga});
  accepted(s.release(), {&s.inga, &s.carin});
  accepted(s.maker.consent(s.home), {&s.carin, &s.carl});
  accepted(s.maker.consent(s.home), {&s.carin, &s.pia});
  accepted(s.withdrawal(), {&s.carin});
  accepted(OrderMaker::schedule(s.home), {&s.pia, &s.per});
  accepted(OrderMaker::schedule(s.home), {&s.pia, &s.carin});
  accepted(s.pause(), {&s.pia});
  accepted(s.pause(), {&s.carin});
  accepted(s.resume(), {&s.carin});
  auto pause = s.pause();
  pause.until = s.maker.now + hours(72);
  accepted(pause, {&s.pia});
  pause.until += seconds(1);
  accepted(pause, {&s.pia, &s.carin});
  pause.until = s.maker.now + std::chrono::days(30);
  accepted(pause, {&s.carin, &s.pia});
  accepted(s.test_view(), {&s.inga});
  accepted(s.view(), {&s.olle});
  for (const auto kind : {OutcomeKind::kCompleted, OutcomeKind::kNotSeen, OutcomeKind::kUnable,
                          OutcomeKind::kVisitTaken, OutcomeKind::kPauseKnown}) {
    accepted(s.outcome(kind), {&s.olle});
  }
}

TEST_CASE("no order is accepted from people in other roles", "[orders][IAM-1]") {
  const Scene s;
  const auto refused_as = [&](const char* reason, Body body, std::vector<const Staff*> signers) {
    CAPTURE(type_name(body), signers[0]->person.value);
    CHECK(said(s.judged(s.maker.order(std::move(body), signers))) == std::string("refused ") + reason);
  };
  const auto grant = s.maker.grant_of({s.maker.issuers[0].url(), "nina"}, Role::kOperator);
  refused_as("wrong_role", grant, {&s.rut, &s.mia});
  refused_as("wrong_role", grant, {&s.mia, &s.carin});
  refused_as("wrong_role", s.revoke(s.olle), {&s.mia});
  refused_as("wrong_role", OrderMaker::device(s.device_key.public_key()), {&s.inga});
  refused_as("wrong_role", OrderMaker::assignment(s.home), {&s.tore});
  refused_as("wrong_role", OrderMaker::acceptance(s.home, s.standing[1].hash), {&s.tore});
  refused_as("wrong_role", s.release(), {&s.inga, &s.pia});
  refused_as("wrong_role", s.release(), {&s.carin, &s.inga});
  refused_as("wrong_role", s.maker.consent(s.home), {&s.pia, &s.carin});
  refused_as("wrong_role", s.withdrawal(), {&s.pia});
  refused_as("wrong_role", OrderMaker::schedule(s.home), {&s.carin, &s.pia});
  refused_as("wrong_role", OrderMaker::schedule(s.home), {&s.pia, &s.olle});
  refused_as("wrong_role", s.pause(), {&s.olle});
  refused_as("wrong_role", s.view(), {&s.pia});
  refused_as("wrong_role", s.view(), {&s.inga});
  refused_as("wrong_role", s.test_view(), {&s.olle});
  refused_as("wrong_role", s.test_view(), {&s.tore});
  refused_as("wrong_role", s.long_pause(), {&s.pia, &s.olle});
  refused_as("wrong_role", s.long_pause(), {&s.olle, &s.carin});
  refused_as("wrong_role", s.pause(), {&s.pia, &s.carin});
  refused_as("wrong_role", s.outcome(OutcomeKind::kCompleted), {&s.carin});
  // More signers than an order takes is no better than others.
  refused_as("wrong_role", s.view(), {&s.olle, &s.pia});
  refused_as("wrong_role", s.withdrawal(), {&s.carin, &s.carl});
}

TEST_CASE("where two sign they are two people, whatever issuer they log in by", "[orders][IAM-5]") {
  const Scene s;
  const auto refused_as = [&](const char* reason, Body body, std::vector<const Staff*> signers) {
    CAPTURE(type_name(body));
    CHECK(said(s.judged(s.maker.order(std::move(body), signers))) == std::string("refused ") + reason);
  };
  const auto grant = s.maker.grant_of({s.maker.issuers[0].url(), "nina"}, Role::kOperator);
  refused_as("not_two_people", grant, {&s.mia});
  refused_as("not_two_people", s.maker.consent(s.home), {&s.carin});
  refused_as("not_two_people", OrderMaker::schedule(s.home), {&s.pia});
  refused_as("not_two_people", s.release(), {&s.inga});
  refused_as("not_two_people", s.long_pause(), {&s.pia});
  refused_as("not_two_people", s.long_pause(), {&s.carin});
  refused_as("not_two_people", s.long_pause(), {&s.pia, &s.pia});

  const Staff mia_as_admin = s.maker.login("mia", Role::kRightsAdmin);
  refused_as("not_two_people", grant, {&s.mia, &mia_as_admin});
  const Staff mia_elsewhere = s.maker.login("mia", Role::kRightsAdmin, 1);
  refused_as("not_two_people", grant, {&s.mia, &mia_elsewhere});
  const Staff pia_elsewhere = s.maker.login("pia", Role::kPlanner, 1);
  refused_as("not_two_people", OrderMaker::schedule(s.home), {&s.pia, &pia_elsewhere});
  refused_as("not_two_people", OrderMaker::schedule(s.home), {&s.pia, &s.pia});
}

TEST_CASE("an order for another provider is refused", "[orders]") {
  const Scene s;
  auto payload = s.maker.payload(s.view(), {&s.olle});
  payload.common.provider = "other";
  CHECK(said(s.judged(s.maker.order(payload, {&s.olle}))) == "refused wrong_provider");

  const auto order = s.maker.order(s.view(), {&s.olle});
  auto context = s.context();
  context.provider = "other";
  CHECK(said(judge(order, context)) == "refused wrong_provider");
  // Nor is one that the root list does not have.
  CHECK(said(judge(s.maker.order(payload, {&s.olle}), context)) == "refused wrong_provider");
}

TEST_CASE("nothing is judged by a root list or bundle that has run out", "[orders]") {
  Scene s;
  const auto order = s.maker.order(s.view(), {&s.olle});
  SECTION("root list") {
    s.maker.root_list.expires_at = s.maker.now;
    CHECK(said(s.judged(order)) == "waiting root_list_expired");
  }
  SECTION("bundle") {
    s.maker.bundle.expires_at = s.maker.now;
    CHECK(said(s.judged(order)) == "waiting bundle_expired");
  }
  SECTION("a millisecond before") {
    s.maker.bundle.expires_at = s.maker.now + std::chrono::milliseconds(1);
    CHECK(said(s.judged(order)) == "accepted");
  }
}

TEST_CASE("a view that names a newer bundle than ours waits for it", "[orders]") {
  const Scene s;
  auto view = s.view();
  ++view.bundle.counter;
  CHECK(said(s.judged(s.maker.order(view, {&s.olle}))) == "waiting bundle_older");
  view = s.view();
  --view.bundle.counter;
  CHECK(said(s.judged(s.maker.order(view, {&s.olle}))) == "accepted");
  view = s.view();
  ++view.bundle.root_list_version;
  view.bundle.counter = 1;
  CHECK(said(s.judged(s.maker.order(view, {&s.olle}))) == "waiting bundle_older");
}

TEST_CASE("a revoked hub is given no order but its release", "[orders]") {
  Scene s;
  s.maker.bundle.revoked_hubs.push_back(s.home.hub);
  CHECK(said(s.judged(s.maker.order(s.view(), {&s.olle}))) == "refused hub_revoked");
  CHECK(said(s.judged(s.maker.order(OrderMaker::assignment(s.home), {&s.inga}))) == "refused hub_revoked");
  CHECK(said(s.judged(s.maker.order(s.release(), {&s.inga, &s.carin}))) == "accepted");
  CHECK(said(s.judged(s.maker.order(s.outcome(OutcomeKind::kUnable), {&s.olle}))) == "accepted");
}

TEST_CASE("a device order names the hub by the key it carries", "[orders]") {
  const Scene s;
  auto device = OrderMaker::device(s.device_key.public_key());
  device.hub = fakes::p256_key("another device").public_key().thumbprint_text();
  CHECK(said(s.judged(s.maker.order(device, {&s.tore}))) == "refused wrong_device_key");
}

TEST_CASE("signatures count only for the payload, the key and the signer they were made for", "[orders][IAM-1]") {
  const Scene s;
  const std::string payload = format_payload(s.maker.payload(OrderMaker::schedule(s.home), {&s.pia, &s.per}));
  const auto judged = [&](const std::string& text) { return said(s.judged(*parse_order(text))); };

  SECTION("swapped signatures") { CHECK(judged(s.maker.sign(payload, {&s.per, &s.pia})) == "refused person_mismatch"); }
  SECTION("a stranger's key under the signer's token") {
    auto order = *parse_order(s.maker.sign(payload, {&s.pia, &s.per}));
    order.signatures[0].key = s.olle.key.public_key();
    CHECK(said(s.judged(order)) == "refused bad_signature");
    order.signatures[0].sig = s.olle.key.sign(signed_bytes("order", view_of(payload)));
    CHECK(said(s.judged(order)) == "refused nonce_mismatch");
  }
  SECTION("another salt") {
    auto order = *parse_order(s.maker.sign(payload, {&s.pia, &s.per}));
    order.signatures[1].salt = fakes::bytes32("other salt");
    CHECK(said(s.judged(order)) == "refused nonce_mismatch");
  }
  SECTION("the signer's own signature under a colleague's token") {
    auto order = *parse_order(s.maker.sign(payload, {&s.pia, &s.per}));
    order.signatures[0].id_token = s.per.id_token;
    CHECK(said(s.judged(order)) == "refused nonce_mismatch");
  }
  SECTION("a signature made as another kind") {
    for (const char* kind : {"session", "answer", "event", "root-list"}) {
      auto order = *parse_order(s.maker.sign(payload, {&s.pia, &s.per}));
      order.signatures[0].sig = s.pia.key.sign(signed_bytes(kind, view_of(payload)));
      CHECK(said(s.judged(order)) == "refused bad_signature");
    }
  }
  SECTION("the signature of another payload") {
    auto order = *parse_order(s.maker.sign(payload, {&s.pia, &s.per}));
    const auto other = s.maker.order(s.pause(), {&s.pia});
    order.signatures[0].sig = other.signatures[0].sig;
    CHECK(said(s.judged(order)) == "refused bad_signature");
  }
  SECTION("one signature twice") {
    auto order = *parse_order(s.maker.sign(payload, {&s.pia, &s.per}));
    order.signatures[1] = order.signatures[0];
    CHECK(said(s.judged(order)) == "refused person_mismatch");
  }
}

TEST_CASE("a signature more or less than signers is malformed", "[orders]") {
  const Scene s;
  const std::string one = format_payload(s.maker.payload(s.view(), {&s.olle}));
  CHECK(said(parse_order(s.maker.sign(one, {&s.olle, &s.pia}))) == "refused malformed");
  CHECK(said(parse_order(s.maker.sign(one, {}))) == "refused malformed");
  CHECK(said(parse_order(s.maker.sign(one, {&s.olle, &s.pia, &s.per}))) == "refused malformed");
  const std::string two = format_payload(s.maker.payload(OrderMaker::schedule(s.home), {&s.pia, &s.per}));
  CHECK(said(parse_order(s.maker.sign(two, {&s.pia}))) == "refused malformed");
}

TEST_CASE("an act counts while the login is fresh by the judge's clock", "[orders][IAM-2]") {
  Scene s;
  const auto order = s.maker.order(s.view(), {&s.olle});  // logged in a minute before
  const Instant login = s.maker.now - minutes(1);
  const auto judged_at = [&](Instant now) {
    s.maker.now = now;
    return said(s.judged(order));
  };
  CHECK(judged_at(login - seconds(60)) == "accepted");
  CHECK(judged_at(login - seconds(61)) == "refused auth_in_future");
  CHECK(judged_at(login + hours(12)) == "accepted");
  CHECK(judged_at(login + hours(12) + seconds(1)) == "refused auth_too_old");
}

TEST_CASE("when an act was signed does not matter, a staff computer's clock may be wrong", "[orders]") {
  const Scene s;
  auto payload = s.maker.payload(s.view(), {&s.olle});
  for (const auto shift : {hours(-100), hours(100)}) {
    payload.common.signed_at = s.maker.now + shift;
    CHECK(said(s.judged(s.maker.order(payload, {&s.olle}))) == "accepted");
  }
}

TEST_CASE("a standing order was signed soon after login and arrives within ten hours", "[orders]") {
  Scene s;
  auto payload = s.maker.payload(OrderMaker::device(s.device_key.public_key()), {&s.tore});
  const Instant login = s.maker.now - minutes(1);
  const auto judged = [&](Instant signed_at, Instant now) {
    payload.common.signed_at = signed_at;
    s.maker.now = now;
    return said(s.judged(s.maker.order(payload, {&s.tore})));
  };
  CHECK(judged(login - seconds(60), login) == "accepted");
  CHECK(judged(login - seconds(61), login) == "refused auth_in_future");
  CHECK(judged(login + hours(12), login + hours(12)) == "accepted");
  CHECK(judged(login + hours(12) + seconds(1), login + hours(13)) == "refused auth_too_old");
  CHECK(judged(login, login - seconds(300)) == "accepted");
  CHECK(judged(login, login - seconds(301)) == "refused auth_in_future");
  CHECK(judged(login, login + hours(10)) == "accepted");
  CHECK(judged(login, login + hours(10) + seconds(1)) == "waiting late");
}

TEST_CASE("what closes counts however late it comes, and is still of people with the right", "[orders][ENF-5][PRI-2]") {
  Scene s;
  const auto withdrawal = s.maker.order(s.withdrawal(), {&s.carin});
  const auto revoke = s.maker.order(s.revoke(s.olle), {&s.rut});
  const auto stranger = s.maker.order(s.withdrawal(), {&s.olle});
  s.maker.now += hours(100);
  CHECK(said(s.judged(withdrawal)) == "accepted");
  CHECK(said(s.judged(revoke)) == "accepted");
  CHECK(said(s.judged(stranger)) == "refused wrong_role");
}

TEST_CASE("outcomes are timed like standing orders", "[orders]") {
  Scene s;
  const auto order = s.maker.order(s.outcome(OutcomeKind::kUnable), {&s.olle});
  s.maker.now += hours(11);
  CHECK(said(s.judged(order)) == "waiting late");
}

TEST_CASE("the ID token of a signer must be exactly what was agreed", "[orders][IAM-1][IAM-2]") {
  Scene s;
  Staff olle = s.maker.login("olle", Role::kOperator);
  const auto judged = [&] { return said(s.judged(s.maker.order(s.view(), {&olle}))); };
  const auto with_claim = [&](const char* name, const Json& value) {
    olle.claims[name] = value;
    s.maker.renew_token(olle);
    return judged();
  };
  REQUIRE(judged() == "accepted");

  SECTION("audience") {
    CHECK(with_claim("aud", Json::array({"tillsyn"})) == "accepted");
    for (const Json& bad : {Json("other"), Json::array({"tillsyn", "other"}), Json::array(), Json(), Json(5),
                            Json("Tillsyn"), Json::array({"tillsyn", "tillsyn"}), Json::object({{"tillsyn", 1}})}) {
      CAPTURE(bad.dump());
      CHECK(with_claim("aud", bad) == "refused wrong_audience");
    }
    olle.claims.erase("aud");
    s.maker.renew_token(olle);
    CHECK(judged() == "refused wrong_audience");
  }
  SECTION("authorized party") {
    CHECK(with_claim("azp", "tillsyn") == "accepted");
    CHECK(with_claim("azp", "other") == "refused wrong_audience");
    CHECK(with_claim("azp", Json()) == "refused wrong_audience");
    CHECK(with_claim("azp", Json::array({"tillsyn"})) == "refused wrong_audience");
  }
  SECTION("level of assurance") {
    CHECK(with_claim("acr", "http://id.sambi.se/loa/loa2") == "refused acr_too_low");
    CHECK(with_claim("acr", Json()) == "refused acr_too_low");
    CHECK(with_claim("acr", Json::array({"http://id.sambi.se/loa/loa3"})) == "refused acr_too_low");
    olle.claims.erase("acr");
    s.maker.renew_token(olle);
    CHECK(judged() == "refused acr_too_low");
  }
  SECTION("nonce") {
    CHECK(with_claim("nonce", s.pia.claims["nonce"]) == "refused nonce_mismatch");
    CHECK(with_claim("nonce", Json()) == "refused nonce_mismatch");
    CHECK(with_claim("nonce", "") == "refused nonce_mismatch");
  }
  SECTION("person") {
    CHECK(with_claim("sub", "pia") == "refused person_mismatch");
    CHECK(with_claim("sub", "") == "refused bad_id_token");
    CHECK(with_claim("sub", 7) == "refused bad_id_token");
    CHECK(with_claim("sub", std::string(129, 'x')) == "refused bad_id_token");
  }
  SECTION("the claim that identifies a person is the root list's choice") {
    s.maker.root_list.issuers[0].person_claim = "employee";
    CHECK(judged() == "refused bad_id_token");
    CHECK(with_claim("employee", "olle") == "accepted");
  }
  SECTION("issuer") {
    CHECK(with_claim("iss", "https://id3.solna.example") == "refused unknown_issuer");
    CHECK(with_claim("iss", s.maker.issuers[0].url() + "/") == "refused unknown_issuer");
    CHECK(with_claim("iss", Json()) == "refused unknown_issuer");
    // Its own key signs for the other issuer.
    CHECK(with_claim("iss", s.maker.issuers[1].url()) == "waiting unknown_kid");
  }
  SECTION("times") {
    for (const char* name : {"iat", "auth_time"}) {
      const Json was = olle.claims[name];
      for (const Json& bad : {Json(), Json("1764000000"), Json(1764000000.5), Json(-1), Json(253402300800)}) {
        CAPTURE(name, bad.dump());
        CHECK(with_claim(name, bad) == "refused bad_id_token");
      }
      olle.claims[name] = was;
    }
    const auto iat = olle.claims["iat"].get<std::int64_t>();
    CHECK(with_claim("auth_time", iat + 60) == "accepted");
    CHECK(with_claim("auth_time", iat + 61) == "refused bad_id_token");
    olle.claims.erase("auth_time");
    s.maker.renew_token(olle);
    CHECK(judged() == "refused bad_id_token");
  }
  SECTION("the token's own expiry is for bearers") { CHECK(with_claim("exp", 1) == "accepted"); }
  SECTION("claims we do not know are ignored") { CHECK(with_claim("name", "Olle O") == "accepted"); }
}

TEST_CASE("algorithms and headers that were not agreed are refused", "[orders][IAM-1]") {
  const Scene s;
  Staff olle = s.maker.login("olle", Role::kOperator);
  const auto with_header = [&](const Json& header) {
    olle.id_token = s.maker.issuers[0].sign(olle.claims, header);
    return said(s.judged(s.maker.order(s.view(), {&olle})));
  };
  REQUIRE(with_header(Json::object()) == "accepted");
  for (const char* algorithm : {"none", "None", "HS256", "HS512", "ES256", "PS256", "RS512", "EdDSA", ""}) {
    CAPTURE(algorithm);
    CHECK(with_header({{"alg", algorithm}}) == "refused bad_id_token");
  }
  CHECK(with_header({{"crit", Json::array({"exp"})}}) == "refused bad_id_token");
  CHECK(with_header({{"b64", false}}) == "refused bad_id_token");
  CHECK(with_header({{"kid", Json()}}) == "refused bad_id_token");
  CHECK(with_header({{"kid", "rsa-2"}}) == "waiting unknown_kid");
  // A key that the token brings along is no key of the issuer's.
  CHECK(with_header({{"jwk", s.maker.issuers[1].jwk()}, {"jku", "https://evil.example"}}) == "accepted");

  for (const char* token : {"", "a.b", "a.b.c", "a.b.c.d", "..", "e30.e30."}) {
    CAPTURE(token);
    olle.id_token = token;
    CHECK(said(s.judged(s.maker.order(s.view(), {&olle}))) == "refused bad_id_token");
  }
}

TEST_CASE("a token signed by a key that is not the issuer's is refused", "[orders][IAM-1]") {
  const Scene s;
  Staff olle = s.maker.login("olle", Role::kOperator, 1);
  const OrderBook book = OrderMaker::book_of({{s.maker.grant("olle", Role::kOperator, {"*"}, 1)}});
  auto context = s.context();
  const JudgeContext elsewhere{context.provider, context.root_list, context.bundle, book, context.now};
  REQUIRE(said(judge(s.maker.order(s.view(), {&olle}), elsewhere)) == "accepted");

  const fakes::TestIssuer impostor(s.maker.issuers[1].url(), fakes::TestIssuer::Algorithm::kEs256, "ec-1", "impostor");
  olle.id_token = impostor.sign(olle.claims);
  CHECK(said(judge(s.maker.order(s.view(), {&olle}), elsewhere)) == "refused bad_id_token");
}

TEST_CASE("an issuer's key counts in its own time only", "[orders][IAM-1]") {
  Scene s;
  auto& key = s.maker.bundle.issuers[0].keys[0];
  const auto order = s.maker.order(s.view(), {&s.olle});
  const Instant issued = s.maker.now - minutes(1);
  const auto judged = [&] { return said(s.judged(order)); };

  SECTION("from not_before on") {
    key.not_before = issued;
    CHECK(judged() == "accepted");
    key.not_before = issued + seconds(1);
    CHECK(judged() == "refused retired_key");
  }
  SECTION("until not_after") {
    key.not_after = issued + seconds(1);
    CHECK(judged() == "accepted");
    key.not_after = issued;
    CHECK(judged() == "refused retired_key");
  }
  SECTION("a revoked one at once") {
    s.maker.bundle.revoked_keys.push_back({s.maker.issuers[0].url(), "rsa-1"});
    CHECK(judged() == "refused revoked_key");
  }
  SECTION("revoked by its own issuer's name only") {
    s.maker.bundle.revoked_keys.push_back({s.maker.issuers[1].url(), "rsa-1"});
    CHECK(judged() == "accepted");
  }
  SECTION("gone from the bundle") {
    s.maker.bundle.issuers[0].keys.clear();
    CHECK(judged() == "waiting unknown_kid");
    s.maker.bundle.issuers.clear();
    CHECK(judged() == "waiting unknown_kid");
  }
}

TEST_CASE("an issuer that the provider does not list opens nothing", "[orders][IAM-1]") {
  Scene s;
  const auto order = s.maker.order(s.view(), {&s.olle});
  auto& issuers = s.maker.root_list.providers[0].issuers;
  issuers.erase(issuers.begin());
  CHECK(said(s.judged(order)) == "refused unknown_issuer");
}

TEST_CASE("a person needs a grant in force, for the role and the group", "[orders][IAM-1][IAM-5]") {
  Scene s;
  const Staff nina = s.maker.login("nina", Role::kOperator);
  const auto view = s.maker.order(s.view(), {&nina});
  const auto judged_by = [&](const OrderBook& book) {
    return said(judge(view, {OrderMaker::kProvider, s.maker.root_list, s.maker.bundle, book, s.maker.now}));
  };
  const auto with_right = [&](Right right) {
    const Grant grant{nina.person, {std::move(right)}, "employed"};
    return judged_by(OrderMaker::book_of({{s.maker.order(grant, {&s.mia, &s.rut})}}));
  };
  const Instant now = s.maker.now;

  CHECK(judged_by(OrderBook()) == "waiting no_grant");
  CHECK(with_right({Role::kOperator, {"north"}, now, now + seconds(1)}) == "accepted");
  CHECK(with_right({Role::kOperator, {"south", "north"}, now, now + seconds(1)}) == "accepted");
  CHECK(with_right({Role::kOperator, {"*"}, now, now + seconds(1)}) == "accepted");
  CHECK(with_right({Role::kOperator, {"*"}, now - hours(1), now}) == "refused grant_expired");
  CHECK(with_right({Role::kOperator, {"*"}, now + seconds(1), now + hours(1)}) == "waiting no_grant");
  CHECK(with_right({Role::kOperator, {"south"}, now, now + seconds(1)}) == "refused group_not_in_scope");
  CHECK(with_right({Role::kOperator, {"nort", "northern"}, now, now + hours(1)}) == "refused group_not_in_scope");
  CHECK(with_right({Role::kPlanner, {"*"}, now, now + seconds(1)}) == "waiting no_grant");
}

TEST_CASE("the newest grant alone counts, and a revoke ends it", "[orders][IAM-5]") {
  Scene s;
  const auto first = s.maker.grant("nina", Role::kOperator);
  const auto narrowed = s.maker.successor(
      first, s.maker.grant_of(s.maker.login("nina", Role::kOperator).person, Role::kOperator, {"south"}),
      {&s.mia, &s.rut});
  const Staff nina = s.maker.login("nina", Role::kOperator);
  const auto view = s.maker.order(s.view(), {&nina});
  OrderBook book = OrderMaker::book_of({{first}});
  const auto judged = [&] {
    return said(judge(view, {OrderMaker::kProvider, s.maker.root_list, s.maker.bundle, book, s.maker.now}));
  };
  CHECK(judged() == "accepted");
  book.put(narrowed);
  CHECK(judged() == "refused group_not_in_scope");
  book.put(s.maker.successor(narrowed, s.revoke(nina), {&s.rut}));
  CHECK(judged() == "refused person_revoked");
}

TEST_CASE("a grant counts under the issuer that it names alone", "[orders][IAM-1]") {
  const Scene s;
  const Staff olle = s.maker.login("olle", Role::kOperator, 1);
  CHECK(said(s.judged(s.maker.order(s.view(), {&olle}))) == "waiting no_grant");
}

TEST_CASE("the bundle revokes a person from the time it says", "[orders][IAM-1]") {
  Scene s;
  const auto order = s.maker.order(s.view(), {&s.olle});
  s.maker.bundle.revoked_persons.push_back({s.olle.person, s.maker.now + seconds(1)});
  CHECK(said(s.judged(order)) == "accepted");
  s.maker.bundle.revoked_persons[0].from = s.maker.now;
  CHECK(said(s.judged(order)) == "refused person_revoked");
}

TEST_CASE("the root list's granters lose their rights by a revoke too", "[orders][IAM-5]") {
  Scene s;
  const auto grant = s.maker.grant("nina", Role::kOperator);
  REQUIRE(said(s.judged(grant)) == "accepted");
  const Staff rita = s.maker.login("rita", Role::kRightsAdmin);
  s.staff_book.put(s.maker.order(s.revoke(s.mia), {&rita}));
  CHECK(said(s.judged(grant)) == "refused person_revoked");
}

TEST_CASE("the root list limits which roles an issuer's people may have", "[orders][IAM-1]") {
  Scene s;
  std::erase(s.maker.root_list.issuers[0].roles, Role::kOperator);
  CHECK(said(s.judged(s.maker.order(s.view(), {&s.olle}))) == "refused issuer_not_for_role");
  CHECK(said(s.judged(s.maker.order(s.pause(), {&s.pia}))) == "accepted");
}

TEST_CASE("nobody grants more groups than they have", "[orders][IAM-5]") {
  Scene s;
  const Staff max = s.maker.login("max", Role::kManager);
  const Staff ria = s.maker.login("ria", Role::kRightsAdmin);
  s.staff_book.put(s.maker.grant("max", Role::kManager, {"north", "south"}));
  s.staff_book.put(s.maker.grant("ria", Role::kRightsAdmin, {"north"}));
  const Person nina{s.maker.issuers[0].url(), "nina"};
  const auto judged = [&](std::vector<std::string> groups, const Staff& manager, const Staff& admin) {
    return said(
        s.judged(s.maker.order(s.maker.grant_of(nina, Role::kOperator, std::move(groups)), {&manager, &admin})));
  };
  CHECK(judged({"north"}, max, ria) == "accepted");
  CHECK(judged({"south"}, max, s.rut) == "accepted");
  CHECK(judged({"south"}, max, ria) == "refused group_not_in_scope");
  CHECK(judged({"north", "south"}, max, ria) == "refused group_not_in_scope");
  CHECK(judged({"*"}, max, s.rut) == "refused group_not_in_scope");
  CHECK(judged({"*"}, s.mia, ria) == "refused group_not_in_scope");
  CHECK(judged({"*"}, s.mia, s.rut) == "accepted");
}

TEST_CASE("both signers of a grant need their right", "[orders][IAM-5]") {
  const Scene s;
  const Person nina{s.maker.issuers[0].url(), "nina"};
  const Staff stranger = s.maker.login("stranger", Role::kRightsAdmin);
  const Staff other = s.maker.login("stranger", Role::kManager);
  const auto grant = s.maker.grant_of(nina, Role::kOperator);
  CHECK(said(s.judged(s.maker.order(grant, {&s.mia, &stranger}))) == "waiting no_grant");
  CHECK(said(s.judged(s.maker.order(grant, {&other, &s.rut}))) == "waiting no_grant");
}

TEST_CASE("an order without group takes the role in any group", "[orders]") {
  Scene s;
  const Staff tom = s.maker.login("tom", Role::kTechnician);
  s.staff_book.put(s.maker.grant("tom", Role::kTechnician, {"south"}));
  CHECK(said(s.judged(s.maker.order(OrderMaker::device(s.device_key.public_key()), {&tom}))) == "accepted");
}

TEST_CASE("every refusal comes with a sentence", "[orders]") {
  const Scene s;
  const auto verdict = s.judged(s.maker.order(s.view(), {&s.pia}));
  CHECK(verdict.sentence == sentence_for("wrong_role"));
  CHECK(sentence_for("nothing of the kind") == nullptr);
  CHECK(said(verdict_of(Error{Code::kMalformed, "member", "x"})) == "refused malformed");
  CHECK(unix_seconds(s.maker.now) == 1795378500);
}
