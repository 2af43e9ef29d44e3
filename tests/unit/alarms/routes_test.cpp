#include <set>

#include "tests/unit/alarms/watched.h"

namespace tillsyn::town {
namespace {

// Staff who ask over the API, without the server.
struct Asked : Watched {
  Asked() : table(api::routes(*services)) {
    must_post(maker.grant("sonja", Role::kOperator, {"south"}));
    must_post(maker.grant("noa", Role::kOperator, {"north"}));
  }

  http::ApiResponse call(const std::string& method, const std::string& pattern, const std::string& token = {},
                         std::map<std::string, std::string> params = {}, std::map<std::string, std::string> query = {},
                         const std::string& body = "{}") {
    const auto route = std::find_if(table.begin(), table.end(), [&](const http::Route& one) {
      return one.method == method && one.pattern == pattern;
    });
    REQUIRE(route != table.end());
    http::ApiRequest request;
    request.method = method;
    request.body = body;
    request.host = "relay.example:443";
    request.params = std::move(params);
    request.query = std::move(query);
    if (!token.empty()) request.bearer = token;
    return route->handler(request);
  }
  std::string token_of(const std::string& name, Role role) {
    const Staff staff = maker.login(name, role);
    const std::string challenge = Json::parse(call("POST", "/v1/session/challenge").body)["challenge"];
    const auto bytes = *from_base64url_exact<32>(challenge);
    const Json body = {{"challenge", challenge},
                       {"provider", OrderMaker::kProvider},
                       {"key", staff.key.public_key().to_jwk()},
                       {"salt", to_base64url(staff.salt)},
                       {"id_token", staff.id_token},
                       {"sig", to_base64url(staff.key.sign(orders::session_bytes("relay.example:443", bytes)))}};
    const auto answer = call("POST", "/v1/session", {}, {}, {}, body.dump());
    REQUIRE(answer.status == 200);
    return Json::parse(answer.body)["token"];
  }
  Json items(const std::string& path, const std::string& token, std::map<std::string, std::string> query = {}) {
    const auto answer = call("GET", path, token, {}, std::move(query));
    REQUIRE(answer.status == 200);
    return Json::parse(answer.body);
  }

  std::vector<http::Route> table;
};

}  // namespace

TEST_CASE("alarms are seen and acknowledged in their own group alone", "[alarms][api][IAM-6]") {
  Asked town;
  int told = 0;
  api::Listener listener;
  listener.lists_changed = [&](const std::string&) { ++told; };
  town.services->listen(listener);
  town.go_to(kEnd - seconds(1));
  town.at_time(kEnd);
  const auto noa = town.token_of("noa", Role::kOperator);
  const auto sonja = town.token_of("sonja", Role::kOperator);
  const auto lo = town.token_of("lo", Role::kLogReviewer);
  const auto seen = town.items("/v1/alarms", noa)["items"];  // by asking: nobody has looked since
  REQUIRE(seen.size() == 1);
  CHECK(told == 1);
  CHECK(seen[0]["kind"] == "missing_outcome");
  CHECK(seen[0]["acknowledged"].is_null());
  CHECK(town.items("/v1/alarms", sonja)["items"].empty());
  CHECK(town.items("/v1/alarms", lo)["items"].empty());
  const std::string id = seen[0]["id"];
  const auto acknowledge = [&](const std::string& token) {
    return town.call("POST", "/v1/alarms/{id}/acknowledgement", token, {{"id", id}});
  };
  CHECK(acknowledge({}).status == 401);
  CHECK(acknowledge(sonja).status == 404);
  CHECK(acknowledge(lo).status == 404);
  CHECK(town.entries("alarm_acknowledged") == 0);
  const auto done = acknowledge(noa);
  REQUIRE(done.status == 200);
  CHECK(Json::parse(done.body)["acknowledged"]["who"]["person"] == "noa");
  CHECK(town.newest().what == "alarm_acknowledged");
  CHECK(town.newest().who.front().person == "noa");
  CHECK(town.services->watch(town.provider()).open()->at(0).acknowledged->who == town.person("noa"));
}

TEST_CASE("what is wrong with the log's copy is the managers' and administrators' to know and to take",
          "[alarms][api][AUD-1]") {
  Asked town;
  town.hears_of_copy({alarms::CopyHeard::State::kDisagrees, {}, {}});
  CHECK(town.items("/v1/alarms", town.token_of("noa", Role::kOperator))["items"].empty());
  CHECK(town.items("/v1/alarms", town.token_of("lo", Role::kLogReviewer))["items"].empty());
  const auto sys = town.token_of("sys", Role::kSystemAdmin);
  const auto seen = town.items("/v1/alarms", sys)["items"];
  REQUIRE(seen.size() == 1);
  CHECK(seen == town.items("/v1/alarms", town.token_of("mia", Role::kManager))["items"]);
  CHECK(seen[0]["kind"] == "copy_disagrees");
  CHECK(seen[0]["group"].is_null());
  const std::map<std::string, std::string> id = {{"id", seen[0]["id"]}};
  const auto take = [&](const std::string& token) {
    return town.call("POST", "/v1/alarms/{id}/acknowledgement", token, id).status;
  };
  CHECK(take(town.token_of("noa", Role::kOperator)) == 404);
  CHECK(take(sys) == 200);
}

TEST_CASE("supervisions come page by page, each once, in the caller's groups", "[alarms][api][SES-1]") {
  Asked town;
  const auto noa = town.token_of("noa", Role::kOperator);
  const auto span = [](const char* to) {
    return std::map<std::string, std::string>{{"from", "2026-11-22T20:00:00Z"}, {"to", to}, {"limit", "2"}};
  };
  auto query = span("2026-11-27T20:00:00Z");
  std::vector<std::string> starts;
  for (int pages = 1;; ++pages) {
    const auto page = town.items("/v1/supervisions", noa, query);
    for (const auto& one : page["items"]) starts.push_back(one["start"]);
    REQUIRE(page["items"].size() <= 2);
    if (page["next"].is_null()) {
      CHECK(pages == 3);
      break;
    }
    query["cursor"] = page["next"];
  }
  CHECK(starts.size() == 5);
  CHECK(std::set<std::string>(starts.begin(), starts.end()).size() == 5);
  CHECK(town.items("/v1/supervisions", town.token_of("sonja", Role::kOperator))["items"].empty());
  const auto refused = [&](std::map<std::string, std::string> asked) {
    return town.call("GET", "/v1/supervisions", noa, {}, std::move(asked)).status == 400;
  };
  CHECK(refused({{"from", "yesterday"}}));
  CHECK(refused({{"limit", "0"}}));
  CHECK(refused({{"limit", "1001"}}));
  CHECK(refused({{"cursor", "!"}}));
  CHECK(refused(span("2026-12-26T20:00:00Z")));
  CHECK(refused(span("2026-11-22T20:00:00Z")));
}

TEST_CASE("integrations and maintenance are the system administrator's, and in the log", "[alarms][api][INT-3]") {
  Asked town;
  const auto sys = town.token_of("sys", Role::kSystemAdmin);
  const auto noa = town.token_of("noa", Role::kOperator);
  const Json body = {{"url", "https://alarm.example/"}, {"ca", nullptr}};
  CHECK(town.call("POST", "/v1/integrations", noa, {}, {}, body.dump()).status == 403);
  CHECK(town.call("POST", "/v1/maintenance", noa, {}, {}, "{}").status == 403);
  CHECK(town.call("POST", "/v1/integrations", sys, {}, {}, R"({"url":"http://a.example/","ca":null})").status == 400);
  const auto made = town.call("POST", "/v1/integrations", sys, {}, {}, body.dump());
  REQUIRE(made.status == 201);
  CHECK(town.newest().what == "integration_added");
  CHECK(town.newest().who.front().person == "sys");
  const auto listed = town.items("/v1/integrations", sys)["items"];
  REQUIRE(listed.size() == 1);
  CHECK_FALSE(listed[0].contains("secret"));
  const std::string id = listed[0]["id"];
  CHECK(town.call("DELETE", "/v1/integrations/{id}", noa, {{"id", id}}).status == 403);
  CHECK(town.call("DELETE", "/v1/integrations/{id}", sys, {{"id", id}}).status == 204);
  CHECK(town.call("DELETE", "/v1/integrations/{id}", sys, {{"id", id}}).status == 404);
  CHECK(town.newest().what == "integration_ended");
}

// ---- maintenance

TEST_CASE("maintenance is announced ahead, outside windows, and then a lost hub is no alarm", "[alarms][AVA-4]") {
  Watched town;
  const auto plan = [&](Instant from, Instant to) {
    const auto one =
        alarms::read_maintenance({{"from", format_instant(from)}, {"to", format_instant(to)}, {"reason", "ny disk"}});
    REQUIRE(one.ok());
    return alarms::plan(town.provider(), *one, town.person("sys"), town.now);
  };
  CHECK(plan(kNow, kNow + minutes(5)).error().reason == "not_ahead");
  CHECK(plan(kStart - minutes(5), kStart + minutes(1)).error().reason == "in_window");
  CHECK(plan(kEnd - seconds(1), kEnd + hours(1)).error().reason == "in_window");
  CHECK_FALSE(
      alarms::read_maintenance({{"from", format_instant(kNow)}, {"to", format_instant(kNow)}, {"reason", ""}}).ok());
  CHECK_FALSE(alarms::read_maintenance(
                  {{"from", format_instant(kNow)}, {"to", format_instant(kNow + hours(13))}, {"reason", ""}})
                  .ok());
  REQUIRE(plan(kNow + minutes(10), kNow + minutes(20)).ok());
  CHECK(town.newest().what == "maintenance_planned");
  CHECK(town.newest().who.front().person == "sys");
  SECTION("within it") {
    town.go_to(kNow + minutes(11));
    town.hears({{town.hub.id(), Watched::silent(minutes(1))}});
    town.look();
    CHECK(town.open().empty());
    CHECK(town.entries("hub_lost") == 1);
    town.go_to(kNow + minutes(20));
    CHECK(town.only("hub_lost").about.hub == town.hub.id());
  }
  SECTION("a window that comes to lie in it is an alarm") {
    town.replace_schedule([](auto& schedule) { schedule.windows[0].window.start = hours(21) + minutes(30); });
    town.look();
    CHECK(town.only("maintenance_in_window").about.group == std::nullopt);
    const auto id = alarms::planned_after(town.provider(), town.now)->at(0).id;
    REQUIRE(alarms::cancel(town.provider(), id, town.person("sys"), town.now).ok());
    town.look();
    CHECK(town.entries("alarm_cleared", "maintenance_in_window") == 1);
    CHECK_FALSE(alarms::cancel(town.provider(), id, town.person("sys"), town.now).ok());
  }
}

}  // namespace tillsyn::town
