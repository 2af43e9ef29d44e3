#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;
using std::chrono::days;
using std::chrono::seconds;

namespace {

std::string envelope_by(const std::string& payload, TrustKind kind, std::initializer_list<const char*> keys) {
  TrustEnvelope out{payload, {}};
  for (const char* key : keys) add_signature(out, kind, fakes::ed25519_key(key));
  return format_trust_envelope(out);
}

std::string root_list_with(const Scene& s, const std::function<void(Json&)>& change) {
  Json json = *parse_json(format_root_list(s.maker.root_list));
  change(json);
  return said(parse_root_list(canonical_json(json)));
}

std::string bundle_with(const Scene& s, const std::function<void(Json&)>& change) {
  Json json = *parse_json(format_bundle(s.maker.bundle));
  change(json);
  return said(parse_bundle(canonical_json(json)));
}

}  // namespace

TEST_CASE("root list and bundle are read back as they were written", "[orders]") {
  Scene s;
  s.maker.bundle.revoked_persons.push_back({s.olle.person, s.maker.now});
  s.maker.bundle.revoked_keys.push_back({s.maker.issuers[1].url(), "old"});
  s.maker.bundle.revoked_hubs.push_back(s.home.hub);
  s.maker.bundle.issuers[0].keys[0].not_after = s.maker.now + days(1);
  s.maker.bundle.providers[0].hubs.push_back({"north", 1});
  s.maker.bundle.providers[0].checkpoint = "a note";
  s.maker.bundle.day_list = fakes::bytes32("day list");
  s.maker.root_list.relays[0].ca = "-----BEGIN CERTIFICATE-----\n";
  const auto list = open_root_list(s.maker.root_list_envelope(), s.maker.fleet_root);
  REQUIRE(said(list) == "accepted");
  CHECK(format_root_list(*list) == format_root_list(s.maker.root_list));
  const auto bundle = open_bundle(s.maker.bundle_envelope(), *list);
  REQUIRE(said(bundle) == "accepted");
  CHECK(format_bundle(*bundle) == format_bundle(s.maker.bundle));
  const auto root = parse_fleet_root(format_fleet_root(s.maker.fleet_root));
  REQUIRE(root.ok());
  CHECK(root->threshold == 2);
  CHECK(root->keys == s.maker.fleet_root.keys);
}

TEST_CASE("a root list takes as many different fleet root keys as the threshold says", "[orders]") {
  const Scene s;
  const std::string payload = format_root_list(s.maker.root_list);
  const auto opened = [&](std::initializer_list<const char*> keys) {
    return said(open_root_list(envelope_by(payload, TrustKind::kRootList, keys), s.maker.fleet_root));
  };
  CHECK(opened({"root 1", "root 3"}) == "accepted");
  CHECK(opened({"root 1", "root 2", "root 3"}) == "accepted");
  CHECK(opened({"stranger", "root 2", "root 1"}) == "accepted");
  CHECK(opened({}) == "refused bad_signature");
  CHECK(opened({"root 1"}) == "refused bad_signature");
  CHECK(opened({"root 1", "root 1"}) == "refused bad_signature");
  CHECK(opened({"root 1", "stranger", "bundle"}) == "refused bad_signature");

  // One key's signature listed twice in the text, and one under another key's name.
  TrustEnvelope envelope{payload, {}};
  add_signature(envelope, TrustKind::kRootList, fakes::ed25519_key("root 1"));
  envelope.signatures.push_back(envelope.signatures[0]);
  CHECK(said(open_root_list(format_trust_envelope(envelope), s.maker.fleet_root)) == "refused malformed");
  envelope.signatures[1].key = fakes::ed25519_key("root 2").public_key().bytes();
  CHECK(said(open_root_list(format_trust_envelope(envelope), s.maker.fleet_root)) == "refused bad_signature");
  // Signed, but as a bundle.
  CHECK(said(open_root_list(envelope_by(payload, TrustKind::kBundle, {"root 1", "root 2"}), s.maker.fleet_root)) ==
        "refused bad_signature");
}

TEST_CASE("a bundle takes one bundle key of the root list", "[orders]") {
  Scene s;
  const std::string payload = format_bundle(s.maker.bundle);
  const auto opened = [&](std::initializer_list<const char*> keys) {
    return said(open_bundle(envelope_by(payload, TrustKind::kBundle, keys), s.maker.root_list));
  };
  CHECK(opened({"bundle"}) == "accepted");
  CHECK(opened({"stranger", "bundle"}) == "accepted");
  CHECK(opened({}) == "refused bad_signature");
  CHECK(opened({"root 1", "root 2"}) == "refused bad_signature");
  CHECK(said(open_bundle(envelope_by(payload, TrustKind::kRootList, {"bundle"}), s.maker.root_list)) ==
        "refused bad_signature");
  s.maker.root_list.bundle_keys = {fakes::ed25519_key("next bundle").public_key()};
  CHECK(opened({"bundle"}) == "refused bad_signature");
}

TEST_CASE("a bundle made under a newer root list waits for that", "[orders]") {
  Scene s;
  const std::string envelope = s.maker.bundle_envelope();
  --s.maker.root_list.version;
  CHECK(said(open_bundle(envelope, s.maker.root_list)) == "waiting root_list_older");
  s.maker.root_list.version += 2;
  CHECK(said(open_bundle(envelope, s.maker.root_list)) == "accepted");
}

TEST_CASE("older root lists and bundles than held are refused", "[orders]") {
  Scene s;
  const RootList held = s.maker.root_list;
  CHECK(said(check_successor(nullptr, held)) == "accepted");
  CHECK(said(check_successor(&held, held)) == "accepted");
  --s.maker.root_list.version;
  CHECK(said(check_successor(&held, s.maker.root_list)) == "refused root_list_older");
  s.maker.root_list.version += 2;
  CHECK(said(check_successor(&held, s.maker.root_list)) == "accepted");
  s.maker.root_list = held;
  s.maker.root_list.issuers[0].client_id = "other";
  CHECK(said(check_successor(&held, s.maker.root_list)) == "refused slot_taken");

  const Bundle bundle = s.maker.bundle;
  CHECK(said(check_successor(nullptr, bundle)) == "accepted");
  CHECK(said(check_successor(&bundle, bundle)) == "accepted");
  --s.maker.bundle.version.counter;
  CHECK(said(check_successor(&bundle, s.maker.bundle)) == "refused bundle_older");
  s.maker.bundle.version = {bundle.version.root_list_version - 1, bundle.version.counter + 5};
  CHECK(said(check_successor(&bundle, s.maker.bundle)) == "refused bundle_older");
  s.maker.bundle.version = {bundle.version.root_list_version + 1, 1};
  CHECK(said(check_successor(&bundle, s.maker.bundle)) == "accepted");
  s.maker.bundle = bundle;
  s.maker.bundle.revoked_hubs.push_back(s.home.hub);
  CHECK(said(check_successor(&bundle, s.maker.bundle)) == "refused slot_taken");
}

TEST_CASE("root list and bundle run out at the instant they say", "[orders]") {
  const Scene s;
  const auto& list = s.maker.root_list;
  CHECK(check_current(list, list.expires_at - seconds(1)).ok());
  CHECK(said(check_current(list, list.expires_at)) == "refused root_list_expired");
  const auto& bundle = s.maker.bundle;
  CHECK(check_current(bundle, bundle.expires_at - seconds(1)).ok());
  CHECK(said(check_current(bundle, bundle.expires_at)) == "refused bundle_expired");
}

TEST_CASE("a root list that makes no sense is malformed", "[orders]") {
  const Scene s;
  const auto refuses = [&](const char* path, const Json& value) {
    CAPTURE(path, value.dump());
    CHECK(root_list_with(s, [&](Json& json) { json[Json::json_pointer(path)] = value; }) == "refused malformed");
  };
  CHECK(root_list_with(s, [](Json&) {}) == "accepted");
  refuses("/expires_at", format_instant(s.maker.root_list.issued_at));
  refuses("/expires_at", format_instant(s.maker.root_list.issued_at + days(400) + seconds(1)));
  refuses("/version", 0);
  refuses("/type", "bundle");
  refuses("/surprise", 1);
  refuses("/bundle_keys", Json::array());
  refuses("/bundle_keys/0", "AAAA");
  refuses("/bundle_keys/0", to_base64url(Bytes(32, 0)));  // a point of small order
  refuses("/issuers/0/issuer", "http://id.solna.example");
  refuses("/issuers/0/acr", Json::array());
  refuses("/issuers/0/max_auth_age", 0);
  refuses("/issuers/0/roles", Json::array({"operator", "operator"}));
  refuses("/issuers/0/roles/0", "boss");
  refuses("/issuers/0/jwks_uri", "https://id.solna.example/jwks#frag");
  refuses("/issuers/1/issuer", s.maker.issuers[0].url());
  refuses("/providers/0/issuers/0", "https://unlisted.example");
  refuses("/providers/0/granters/0/role", "operator");
  refuses("/providers/0/granters/0/issuer", "https://unlisted.example");
  refuses("/providers/0/ledger_key", "AAAA");
  refuses("/providers/0/ledger_origin", "log example");
  refuses("/providers/0/ledger_origin", "log+example");
  refuses("/providers/0/app_origins", Json::array());
  refuses("/providers/0/app_origins/0", "http://app.solna.example");
  refuses("/providers/0/app_origins/0", "https://app.solna.example/");
  refuses("/providers/0/app_origins/0", "https://relay.example");  // the staff app on the relay
  refuses("/providers/0/app_origins/0", "https://relay.example:443");
  refuses("/relays/0/host", "relay.example");
  refuses("/relays/0/host", "relay.example:99999");
  refuses("/relays/0/host", "Relay.example:443");
  refuses("/floors/order", 0);
  CHECK(root_list_with(s, [](Json& json) { json["providers"].push_back(json["providers"][0]); }) ==
        "refused malformed");
  CHECK(root_list_with(s, [](Json& json) { json["issuers"][0]["roles"].erase(3); }) == "refused malformed");
  CHECK(root_list_with(s, [](Json& json) { json["format"] = 2; }) == "waiting unknown_format");
  CHECK(root_list_with(s, [](Json& json) { json["providers"][0]["app_origins"][0] = "https://relay.example:8443"; }) ==
        "accepted");
}

TEST_CASE("a bundle that makes no sense is malformed", "[orders]") {
  const Scene s;
  const auto refuses = [&](const char* path, const Json& value) {
    CAPTURE(path, value.dump());
    CHECK(bundle_with(s, [&](Json& json) { json[Json::json_pointer(path)] = value; }) == "refused malformed");
  };
  CHECK(bundle_with(s, [](Json&) {}) == "accepted");
  refuses("/expires_at", format_instant(s.maker.bundle.issued_at));
  refuses("/expires_at", format_instant(s.maker.bundle.issued_at + days(7) + seconds(1)));
  refuses("/counter", 0);
  refuses("/type", "root-list");
  refuses("/surprise", 1);
  refuses("/issuers/0/keys/0/jwk/d", "AAAA");
  refuses("/issuers/0/keys/0/jwk/x5c", Json::array({"AAAA"}));
  refuses("/issuers/0/keys/0/jwk/kid", Json());
  refuses("/issuers/0/keys/0/jwk/kid", "");
  refuses("/issuers/0/keys/0/jwk/kty", "oct");
  refuses("/issuers/0/keys/0/jwk/alg", "HS256");
  refuses("/issuers/0/keys/0/jwk/use", "enc");
  refuses("/issuers/0/keys/0/not_after", "never");
  refuses("/issuers/1/issuer", s.maker.issuers[0].url());
  refuses("/revoked/hubs", Json::array({"hub"}));
  refuses("/revoked/persons", Json::array({Json::object({{"person", "x"}})}));
  refuses("/providers/0/epoch", 0);
  refuses("/providers/0/hubs", Json::array({Json::object({{"group", "*"}, {"count", 1}})}));
  refuses("/day_list", "x");
  CHECK(bundle_with(s, [](Json& json) { json["issuers"][0]["keys"].push_back(json["issuers"][0]["keys"][0]); }) ==
        "refused malformed");
  CHECK(bundle_with(s, [](Json& json) { json["issuers"][0]["keys"][0].erase("not_after"); }) == "refused malformed");
  CHECK(bundle_with(s, [](Json& json) { json["issuers"][0]["keys"][0]["jwk"].erase("kid"); }) == "refused malformed");
  CHECK(bundle_with(s, [](Json& json) { json["format"] = 2; }) == "waiting unknown_format");
}

TEST_CASE("a fleet root that could not hold is malformed", "[orders]") {
  const Scene s;
  const Json whole = *parse_json(format_fleet_root(s.maker.fleet_root));
  const auto refuses = [&](const char* path, const Json& value) {
    Json json = whole;
    json[Json::json_pointer(path)] = value;
    CAPTURE(json.dump());
    CHECK(said(parse_fleet_root(json.dump())) == "refused malformed");
  };
  refuses("/threshold", 0);
  refuses("/threshold", 4);
  refuses("/keys", Json::array());
  refuses("/keys/1", whole["keys"][0]);  // one key twice
  refuses("/keys/1", "AAAA");
  refuses("/surprise", 1);
}

TEST_CASE("envelopes are read strictly and within their limits", "[orders]") {
  const Scene s;
  const std::string good = s.maker.bundle_envelope();
  const auto refuses = [&](const std::string& text) {
    CHECK(said(open_bundle(text, s.maker.root_list)) == "refused malformed");
  };
  refuses("");
  refuses("{}");
  refuses(good + "x");
  refuses(good + std::string(kMaxBundleBytes, ' '));
  refuses("{\"payload\":\"{}\"," + good.substr(1));
  TrustEnvelope many{format_bundle(s.maker.bundle), {}};
  for (int i = 0; i < 17; ++i) {
    add_signature(many, TrustKind::kBundle, fakes::ed25519_key("key " + std::to_string(i)));
  }
  refuses(format_trust_envelope(many));
}

TEST_CASE("the homes' root does not depend on their order and changes with each of them", "[orders]") {
  const Scene s;
  const auto homes = s.book.homes();
  REQUIRE(homes.size() == 1);
  HomeLeaf other = homes[0];
  other.group = "south";
  CHECK(homes_root({homes[0], other}) == homes_root({other, homes[0]}));
  CHECK(homes_root({homes[0]}) != homes_root({other}));
  CHECK(homes_root({}) == ledger::empty_root());
  const std::string leaf = R"({"assignment":")" + to_base64url(homes[0].assignment) + R"(","group":"north","head":")" +
                           to_base64url(homes[0].head) + R"(","hub":")" + s.home.hub + R"(","resident":")" +
                           s.home.resident + "\"}";
  CHECK(homes_root(homes) == ledger::leaf_hash(view_of(leaf)));
}
