#include "relay/api/routes.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "common/orders/bindings.h"
#include "tests/unit/care/town.h"

namespace tillsyn::town {
namespace {

using http::ApiRequest;
using http::ApiResponse;

// Calls handlers as the server does, without the server.
struct Desk : Town {
  Desk() : table(api::routes(*services)) { hire(); }

  ApiResponse call(const std::string& method, const std::string& pattern, const std::string& body = {},
                   const std::string& token = {}, std::map<std::string, std::string> params = {},
                   std::map<std::string, std::string> query = {}) {
    ApiRequest request;
    request.method = method;
    request.body = body;
    request.params = std::move(params);
    request.query = std::move(query);
    if (!token.empty()) request.bearer = token;
    return answer(pattern, std::move(request));
  }

  ApiResponse answer(const std::string& pattern, ApiRequest request) {
    const auto route = std::find_if(table.begin(), table.end(), [&](const http::Route& one) {
      return one.method == request.method && one.pattern == pattern;
    });
    REQUIRE(route != table.end());
    request.host = "relay.example:443";
    return route->handler(request);
  }

  ApiResponse open(const Staff& staff) {
    const std::string challenge = Json::parse(call("POST", "/v1/session/challenge", "{}").body)["challenge"];
    const auto bytes = *from_base64url_exact<32>(challenge);
    const Json body = {{"challenge", challenge},
                       {"provider", OrderMaker::kProvider},
                       {"key", staff.key.public_key().to_jwk()},
                       {"salt", to_base64url(staff.salt)},
                       {"id_token", staff.id_token},
                       {"sig", to_base64url(staff.key.sign(orders::session_bytes("relay.example:443", bytes)))}};
    return call("POST", "/v1/session", body.dump());
  }
  std::string token_of(const std::string& name, Role role) {
    const auto answer = open(maker.login(name, role));
    REQUIRE(answer.status == 200);
    return Json::parse(answer.body)["token"];
  }
  std::string machine_token() {
    const std::string challenge = Json::parse(call("POST", "/v1/session/challenge", "{}").body)["challenge"];
    const auto key = fakes::ed25519_key("bundle");
    const auto bytes = *from_base64url_exact<32>(challenge);
    const Json body = {{"challenge", challenge},
                       {"provider", OrderMaker::kProvider},
                       {"bundle_key", to_base64url(key.public_key().bytes())},
                       {"sig", to_base64url(key.sign(orders::session_bytes("relay.example:443", bytes)))}};
    const auto answer = call("POST", "/v1/session", body.dump());
    REQUIRE(answer.status == 200);
    return Json::parse(answer.body)["token"];
  }

  std::vector<http::Route> table;
};

std::string code_of(const ApiResponse& response) { return Json::parse(response.body)["code"]; }

TEST_CASE("login, refusal and logout are in the log", "[api][IAM-1][IAM-2]") {
  Desk desk;
  const auto token = desk.token_of("olle", Role::kOperator);
  CHECK(desk.newest().what == "login");
  CHECK(desk.newest().who.front().person == "olle");
  CHECK(desk.call("DELETE", "/v1/session", {}, token).status == 204);
  CHECK(desk.newest().what == "logout");
  CHECK(desk.call("GET", "/v1/orders", {}, token).status == 401);

  Staff low = desk.maker.login("olle", Role::kOperator);
  low.claims["acr"] = "http://id.sambi.se/loa/loa2";
  desk.maker.renew_token(low);
  const auto refused = desk.open(low);
  CHECK(refused.status == 403);
  CHECK(code_of(refused) == "acr_too_low");
  CHECK(desk.newest().what == "login_refused");
  CHECK(desk.newest().reason == std::string("acr_too_low"));
}

TEST_CASE("nobody from outside fills the log with failed logins, and what was left out is counted", "[api]") {
  Desk desk;
  const Staff nobody = desk.maker.login("nobody", Role::kOperator);
  const auto before = desk.log().size();
  for (int i = 0; i < 70; ++i) CHECK(code_of(desk.open(nobody)) == "no_grant");
  CHECK(desk.log().size() == before + 60);
  desk.now += std::chrono::minutes(1);
  CHECK(desk.open(nobody).status == 403);
  CHECK(desk.newest().details.has_value());
}

TEST_CASE("openapi.yaml names exactly the routes there are", "[api][INT-1]") {
  Desk desk;
  std::set<std::string> served = {"GET /v1/hubs", "GET /v1/live"};  // presence and sessions
  for (const auto& route : desk.table) served.insert(route.method + " " + route.pattern);
  std::set<std::string> described;
  std::ifstream file(TILLSYN_OPENAPI);
  REQUIRE(file.good());
  std::string path;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("components:")) break;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
      std::string key = std::string("    ") + method + ":";
      std::transform(key.begin(), key.end(), key.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
      if (line == key && path.starts_with("/v1/")) described.insert(method + (" " + path));
    }
  }
  CHECK(described == served);
}

TEST_CASE("without a session there is nothing but the ways in", "[api][IAM-1]") {
  Desk desk;
  for (const auto& route : desk.table) {
    if (route.caller != http::Caller::kSession) continue;
    INFO(route.method << " " << route.pattern);
    const std::map<std::string, std::string> params = {{"id", "x"}, {"hub", "x"}, {"resident", "x"}};
    CHECK(desk.call(route.method, route.pattern, "{}", {}, params).status == 401);
    CHECK(desk.call(route.method, route.pattern, "{}", to_base64url(fakes::bytes32("guess")), params).status == 401);
  }
  const auto open = std::count_if(desk.table.begin(), desk.table.end(),
                                  [](const auto& route) { return route.caller == http::Caller::kAnyone; });
  CHECK(open == 6);  // token, client-jwks, challenge, session, root-list, bundle
}

TEST_CASE("each role reaches its own and nothing else", "[api][AUD-3]") {
  Desk desk;
  const auto entries = [&](const std::string& token) {
    return desk.call("GET", "/v1/ledger/entries", {}, token, {}, {{"limit", "10"}}).status;
  };
  const auto make_code = [&](const std::string& token) {
    return desk.call("POST", "/v1/hubs/{hub}/code", "{}", token, {{"hub", TestHub("hub").id()}}).status;
  };
  const auto olle = desk.token_of("olle", Role::kOperator);
  const auto lo = desk.token_of("lo", Role::kLogReviewer);
  const auto tore = desk.token_of("tore", Role::kTechnician);
  const auto machine = desk.machine_token();
  CHECK(entries(olle) == 403);
  CHECK(entries(tore) == 403);
  CHECK(entries(lo) == 200);
  CHECK(entries(machine) == 200);
  CHECK(make_code(olle) == 403);
  CHECK(make_code(machine) == 403);
  CHECK(make_code(tore) == 201);
  CHECK(desk.call("GET", "/v1/residents", {}, machine).status == 403);
  CHECK(desk.call("GET", "/v1/orders", {}, machine).status == 200);
  CHECK(desk.call("POST", "/v1/orders", "{}", machine).status == 403);
}

TEST_CASE("a right that is revoked is gone at the next call", "[api][IAM-5]") {
  Desk desk;
  const auto token = desk.token_of("lo", Role::kLogReviewer);
  const auto grant = desk.maker.grant("lo", Role::kLogReviewer);
  const Staff rut = desk.maker.login("rut", Role::kRightsAdmin);
  desk.must_post(desk.maker.successor(
      grant, orders::Revoke{desk.maker.login("lo", Role::kLogReviewer).person, kNow, "left"}, {&rut}));
  CHECK(code_of(desk.call("GET", "/v1/orders", {}, token)) == "no_grant");
}

TEST_CASE("an order posted is 201, again 200, contradicted 409 with its holder, malformed 400", "[api]") {
  Desk desk;
  const auto token = desk.token_of("mia", Role::kManager);
  const auto post = [&](const Json& order) {
    return desk.call("POST", "/v1/orders", Json{{"order", order}, {"note", nullptr}}.dump(), token);
  };
  int told = 0;
  api::Listener listener;
  listener.orders_changed = [&](const std::string&, const auto&) { ++told; };
  desk.services->listen(listener);
  const auto first = desk.maker.grant("ny", Role::kOperator);
  const auto accepted = post(Json::parse(first.text));
  CHECK(accepted.status == 201);
  CHECK(Json::parse(accepted.body)["hash"] == to_base64url(first.hash));
  CHECK(post(Json::parse(first.text)).status == 200);
  CHECK(told == 1);
  const auto taken = post(Json::parse(desk.maker.grant("ny", Role::kPlanner).text));
  CHECK(taken.status == 409);
  CHECK(Json::parse(taken.body)["order"] == Json::parse(first.text));
  CHECK(code_of(taken) == "slot_taken");
  for (const char* body :
       {"", "{", "[]", "{}", R"({"order":{},"note":null})", R"({"order":{"payload":"{}","signatures":[]},"note":null})",
        R"({"order":null,"note":null})", R"({"order":{},"note":null,"x":1})"}) {
    const auto malformed = desk.call("POST", "/v1/orders", body, token);
    INFO(body << " " << malformed.body);
    CHECK(malformed.status == 400);
    CHECK(code_of(malformed) == "malformed");
  }
}

TEST_CASE("names go to those who work in the group, and are entered by those who may", "[api]") {
  Desk desk;
  desk.must_post(desk.maker.grant("sonja", Role::kOperator, {"south"}));
  desk.must_post(desk.maker.grant("sixten", Role::kPlanner, {"south"}));
  const auto id = fakes::random_id("resident");
  const auto body = [](const std::string& group) {
    return Json{{"group", group},
                {"name", "Astrid Ek"},
                {"address", "Storgatan 1"},
                {"salt", to_base64url(fakes::bytes32("s"))}}
        .dump();
  };
  const auto put = [&](const std::string& token, const std::string& group) {
    return desk.call("PUT", "/v1/residents/{resident}", body(group), token, {{"resident", id}}).status;
  };
  const auto carin = desk.token_of("carin", Role::kCareManager);
  const auto olle = desk.token_of("olle", Role::kOperator);
  const auto sonja = desk.token_of("sonja", Role::kOperator);
  const auto sixten = desk.token_of("sixten", Role::kPlanner);
  const auto names = [&](const std::string& token) {
    return Json::parse(desk.call("GET", "/v1/residents", {}, token).body)["items"].size();
  };
  CHECK(put(olle, "north") == 403);
  CHECK(put(sixten, "north") == 403);
  CHECK(put(carin, "north") == 204);
  CHECK(names(olle) == 1);
  CHECK(names(sonja) == 0);
  CHECK(names(desk.token_of("lo", Role::kLogReviewer)) == 0);
  CHECK(put(sixten, "south") == 403);  // would take the resident out of a group that is not his
  CHECK(put(carin, "north") == 204);   // the same again changes nothing
  CHECK(put(carin, "") == 400);
}

TEST_CASE("a name that is held is changed by one who says which", "[api]") {
  Desk desk;
  const auto token = desk.token_of("carin", Role::kCareManager);
  const auto put = [&](const std::string& name, const std::optional<std::string>& tag) {
    ApiRequest request;
    request.method = "PUT";
    request.body =
        Json{{"group", "north"}, {"name", name}, {"address", ""}, {"salt", to_base64url(fakes::bytes32("s"))}}.dump();
    request.bearer = token;
    request.params = {{"resident", fakes::random_id("resident")}};
    request.if_match = tag;
    return desk.answer("/v1/residents/{resident}", request);
  };
  CHECK(code_of(put("Astrid Ek", "*")) == "changed_meanwhile");  // nothing is held yet
  const auto first = put("Astrid Ek", {});
  REQUIRE(first.status == 204);
  CHECK(code_of(put("Bertil Ek", {})) == "if_match_missing");
  CHECK(put("Bertil Ek", {}).status == 428);
  for (const char* wrong : {"", "x", "**", "\"*\""}) CHECK(code_of(put("Bertil Ek", wrong)) == "changed_meanwhile");
  const auto second = put("Bertil Ek", first.headers.at("ETag"));
  REQUIRE(second.status == 204);
  CHECK(second.headers.at("ETag") != first.headers.at("ETag"));
  CHECK(put("Cecilia Ek", first.headers.at("ETag")).status == 412);
  CHECK(put("Cecilia Ek", "*").status == 204);
  CHECK(put("Bertil Ek", "*").headers.at("ETag") == second.headers.at("ETag"));
  CHECK(Json::parse(desk.call("GET", "/v1/residents", {}, token).body)["items"][0]["name"] == "Bertil Ek");
}

TEST_CASE("checkpoint, proofs and entries fit together", "[api][AUD-1]") {
  Desk desk;
  const auto token = desk.machine_token();
  const auto get = [&](const std::string& what, std::map<std::string, std::string> query) {
    return desk.call("GET", "/v1/ledger/" + what, {}, token, {}, std::move(query));
  };
  const auto note = Json::parse(get("checkpoint", {}).body)["checkpoint"].get<std::string>();
  const auto newest = ledger::open_checkpoint(note, desk.provider().ledger->verifier_key());
  REQUIRE(newest.ok());
  const auto size = std::to_string(newest->size);
  const auto answer =
      get("inclusion", {{"hash", to_base64url(desk.maker.grant("olle", Role::kOperator).hash)}, {"size", size}});
  REQUIRE(answer.status == 200);
  const Json included = Json::parse(answer.body);
  ledger::Proof proof;
  for (const auto& one : included["inclusion"]) proof.push_back(*from_base64url_exact<32>(one.get<std::string>()));
  const auto leaf = ledger::leaf_hash(view_of(included["entry"].get_ref<const std::string&>()));
  CHECK(ledger::verify_inclusion(leaf, included["seq"].get<std::uint64_t>(), newest->size, proof, newest->root).ok());

  CHECK(code_of(get("inclusion", {{"hash", to_base64url(fakes::bytes32("none"))}, {"size", size}})) ==
        "no_ledger_entry");
  CHECK(get("inclusion", {{"hash", "x"}, {"size", size}}).status == 400);
  CHECK(get("consistency", {{"from", "1"}, {"to", "999"}}).status == 403);
  CHECK(get("consistency", {{"from", "-1"}, {"to", size}}).status == 400);
  CHECK(get("consistency", {{"from", "1"}}).status == 400);
  CHECK(get("entries", {{"from", "9007199254740992"}}).status == 400);
}

TEST_CASE("handed-in trust is taken once, and its refusals have their words", "[api]") {
  Desk desk;
  const auto put = [&](const std::string& body) { return desk.call("PUT", "/v1/trust/bundle", body); };
  CHECK(Json::parse(put(desk.maker.bundle_envelope()).body)["taken"] == false);
  ++desk.maker.bundle.version.counter;
  CHECK(Json::parse(put(desk.maker.bundle_envelope()).body)["taken"] == true);
  desk.maker.bundle.version.counter -= 2;
  CHECK(code_of(put(desk.maker.bundle_envelope())) == "bundle_older");
  CHECK(put("{").status == 400);
}

}  // namespace
}  // namespace tillsyn::town
