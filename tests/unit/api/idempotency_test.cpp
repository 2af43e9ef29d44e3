#include "relay/api/idempotency.h"

#include "tests/unit/care/town.h"

namespace tillsyn::town {
namespace {

using http::ApiRequest;
using http::ApiResponse;

struct Desk : Town {
  Desk() { hire(); }

  ApiResponse ask(const std::string& key, const std::string& body, const std::string& path = "/v1/x",
                  const std::string& who = "olle") {
    ApiRequest request;
    request.method = "POST";
    request.path = path;
    request.body = body;
    request.idempotency_key = key;
    identity::Session session;
    session.provider = OrderMaker::kProvider;
    session.person = {"https://idp.example", who};
    const api::Caller caller{*services, session, provider(), {}, now};
    return api::once(caller, request, [this](const api::Caller& by, const ApiRequest&) { return write(by); });
  }

  ApiResponse write(const api::Caller& by) {
    ++done;
    const std::string hub = to_base64url(fakes::bytes32("hub " + std::to_string(done)));
    REQUIRE(by.provider.ledger->append_seen({.what = "enrolled", .hub = hub}, now));
    return http::json_response({{"n", done}}, status);
  }

  int done = 0;
  unsigned status = 201;
};

std::string code_of(const ApiResponse& response) { return Json::parse(response.body)["code"]; }

TEST_CASE("the same request under the same key is done once and answered alike, after a restart too", "[api][INT-1]") {
  Desk desk;
  const auto first = desk.ask("k1", "{}");
  const auto entries = desk.log().size();
  const auto again = desk.ask("k1", "{}");
  CHECK(desk.done == 1);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(desk.log().size() == entries);
  desk.start();  // killed in between
  CHECK(desk.ask("k1", "{}").body == first.body);
  CHECK(desk.done == 1);
}

TEST_CASE("a key counts for one person, one path and one day", "[api][INT-1]") {
  Desk desk;
  CHECK(desk.ask("k1", "{}").status == 201);
  CHECK(desk.ask("k1", "{}", "/v1/y").status == 201);
  CHECK(desk.ask("k1", "{}", "/v1/x", "petra").status == 201);
  CHECK(desk.done == 3);
  desk.now += api::kKeyLife - std::chrono::seconds(1);
  CHECK(Json::parse(desk.ask("k1", "{}").body)["n"] == 1);
  desk.now += std::chrono::seconds(1);
  CHECK(Json::parse(desk.ask("k1", "{}").body)["n"] == 4);
}

TEST_CASE("a key with another body is refused, and nothing is done", "[api][INT-1]") {
  Desk desk;
  CHECK(desk.ask("k1", "{}").status == 201);
  const auto other = desk.ask("k1", "{\"a\":1}");
  CHECK(other.status == 422);
  CHECK(code_of(other) == "key_reused");
  CHECK(desk.done == 1);
}

TEST_CASE("what was refused may be tried again under its key, and its refusal is in the log once", "[api][INT-1]") {
  Desk desk;
  desk.status = 409;
  const auto before = desk.log().size();
  CHECK(desk.ask("k1", "{}").status == 409);
  CHECK(desk.log().size() == before + 1);
  desk.status = 201;
  CHECK(desk.ask("k1", "{}").status == 201);
  const auto done = desk.done;
  CHECK(desk.ask("k1", "{}").status == 201);
  CHECK(desk.done == done);
}

TEST_CASE("a key of another form is malformed", "[api][INT-1]") {
  Desk desk;
  for (const std::string& key : {std::string(), std::string("a b"), std::string(65, 'a'), std::string("å")}) {
    const auto answer = desk.ask(key, "{}");
    CHECK(answer.status == 400);
    CHECK(code_of(answer) == "malformed");
  }
  CHECK(desk.done == 0);
  CHECK(desk.ask(std::string(64, 'a'), "{}").status == 201);
}

TEST_CASE("what is kept of an answer cannot be read from the disk", "[api][INT-1][PRI-6]") {
  Desk desk;
  CHECK(desk.ask("k1", "{}").status == 201);
  auto& database = desk.provider().database;
  const auto rows = database.select<std::string>("select sealed from answers");
  REQUIRE(rows);
  REQUIRE(rows->size() == 1);
  CHECK(std::get<0>(rows->front()).find("201") == std::string::npos);
}

}  // namespace
}  // namespace tillsyn::town
