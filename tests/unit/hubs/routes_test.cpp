#include "relay/hubs/routes.h"

#include <catch2/catch.hpp>
#include <future>

#include "tests/unit/http/tls_kit.h"
#include "tests/unit/hubs/fake_hub_desk.h"

using namespace tillsyn;
using test::Client;
using test::code_of;

namespace {

const std::string kPoll = R"({"format":1,"status":{"events_acked":0}})";
const std::string kPollAway = R"({"format":1,"status":null})";

// Long enough that nothing in a test waits for it to pass.
hubs::Times long_times() {
  return {.hold = std::chrono::hours(1), .repeat = std::chrono::hours(1), .repeat_away = std::chrono::hours(1)};
}

struct HubServer {
  explicit HubServer(hubs::Times times = long_times())
      : server([&](http::Router& router, http::Executor loop, http::Workers& store) {
          hubs = std::make_unique<hubs::Hubs>(loop, store, desk, [] { return hubs::Hubs::Time::clock::now(); });
          routes = std::make_unique<hubs::Routes>(*hubs, desk, store, times);
          routes->add_to(router);
        }) {
    desk.enrol_key(link.point(), {"hub-a", "p"});
  }
  Client connect() { return Client(server.port(), {.identity = &link}); }
  void offer(
      const std::string& hash, std::function<void(const Error&)> failed = [](const Error&) {}) {
    server.on_loop([&] {
      hubs->offer("hub-a", {hash, [hash](const Json&) { return Result<std::string>("\"" + hash + "\""); }, failed});
    });
  }

  test::Identity link;
  test::FakeHubDesk desk;
  std::unique_ptr<hubs::Hubs> hubs;
  std::unique_ptr<hubs::Routes> routes;
  test::RunningServer server;
};

Json body_of(const test::Response& response) { return *parse_json(response.body(), {.max_bytes = 4 * 1024 * 1024}); }

}  // namespace

TEST_CASE("without a client certificate there is nothing but trust", "[hubs][IAM-10]") {
  HubServer relay;
  Client client(relay.server.port());
  CHECK(body_of(client.get("/hub/v1/trust")) == Json({{"root_list", {{"payload", "r"}}}, {"bundle", nullptr}}));
  for (const char* path : {"/hub/v1/poll", "/hub/v1/report", "/hub/v1/enrol"}) {
    CAPTURE(path);
    Client other(relay.server.port());
    CHECK(code_of(other.post(path, kPoll)) == "no_client_certificate");
  }
}

TEST_CASE("a link key that is not enrolled is told to enrol", "[hubs][IAM-10]") {
  HubServer relay;
  const test::Identity stranger;
  Client client(relay.server.port(), {.identity = &stranger});
  CHECK(code_of(client.post("/hub/v1/poll", kPoll)) == "unknown_link_key");
  CHECK(
      code_of(client.post("/hub/v1/report",
                          R"({"format":1,"status":null,"answers":[],"receipts":[],"countersigns":[],"events":[]})")) ==
      "unknown_link_key");
  CHECK(body_of(client.get("/hub/v1/trust")).contains("root_list"));
}

TEST_CASE("a poll is answered at once when there is something to say", "[hubs]") {
  HubServer relay;
  relay.desk.say({.trust = {.root_list = "1", .bundle = "2"}, .orders = {"3", "4"}, .events_acked = 5});
  auto client = relay.connect();
  CHECK(body_of(client.post("/hub/v1/poll", kPoll)) ==
        *parse_json(R"({"root_list":1,"bundle":2,"orders":[3,4],"views":[],"events_acked":5})"));
}

TEST_CASE("an answer holds no more orders than a hub takes at once", "[hubs]") {
  HubServer relay;
  relay.desk.say(
      {.trust = {}, .orders = std::vector<std::string>(40, "\"" + std::string(60'000, 'a') + "\""), .events_acked = 0});
  auto client = relay.connect();
  CHECK(body_of(client.post("/hub/v1/poll", kPoll))["orders"].size() == 17);
}

TEST_CASE("a held poll is answered the moment a view is offered", "[hubs]") {
  HubServer relay;
  auto client = relay.connect();
  auto answer = std::async(std::launch::async, [&] { return client.post("/hub/v1/poll", kPoll); });
  relay.offer("x");
  CHECK(body_of(answer.get())["views"] == Json::array({"x"}));
}

TEST_CASE("a held poll is answered when orders change", "[hubs]") {
  HubServer relay;
  auto client = relay.connect();
  auto answer = std::async(std::launch::async, [&] { return client.post("/hub/v1/poll", kPoll); });
  bool is_held = false;
  while (!is_held) relay.server.on_loop([&] { is_held = relay.hubs->is_online("hub-a"); });
  relay.desk.say({.trust = {}, .orders = {"7"}, .events_acked = 0});
  relay.server.on_loop([&] { relay.hubs->orders_changed("p", {}); });
  CHECK(body_of(answer.get())["orders"] == Json::array({7}));
}

TEST_CASE("a hub to which there is nothing to say is not looked up again until something changes", "[hubs][AVA-6]") {
  HubServer relay({.hold = std::chrono::milliseconds(0), .repeat = {}, .repeat_away = {}});
  auto client = relay.connect();
  const auto asked_by_a_poll = [&](const std::string& poll = kPoll) {
    const auto before = relay.desk.asked_for_work();
    CHECK(body_of(client.post("/hub/v1/poll", poll))["orders"].empty());
    return relay.desk.asked_for_work() - before;
  };
  CHECK(asked_by_a_poll() == 1);
  CHECK(asked_by_a_poll() == 0);
  CHECK(relay.desk.asked_whose() == 1);

  SECTION("its orders") {
    relay.server.on_loop([&] { relay.hubs->orders_changed("p", std::vector<std::string>{"hub-a"}); });
    CHECK(asked_by_a_poll() == 1);
  }
  SECTION("every hub's orders") {
    relay.server.on_loop([&] { relay.hubs->orders_changed("p", {}); });
    CHECK(asked_by_a_poll() == 1);
  }
  SECTION("another hub's, another provider's: nothing for this one") {
    relay.server.on_loop([&] {
      relay.hubs->orders_changed("p", std::vector<std::string>{"hub-b"});
      relay.hubs->orders_changed("q", {});
    });
    CHECK(asked_by_a_poll() == 0);
  }
  SECTION("trust") {
    relay.server.on_loop([&] { relay.hubs->trust_changed(); });
    CHECK(asked_by_a_poll() == 1);
  }
  SECTION("a view") {
    relay.offer("x");
    CHECK(body_of(client.post("/hub/v1/poll", kPoll))["views"] == Json::array({"x"}));
  }
  SECTION("what it holds") {
    CHECK(asked_by_a_poll(R"({"format":1,"status":{"events_acked":0,"slots":[]}})") == 1);
    CHECK(asked_by_a_poll(R"({"format":1,"status":{"events_acked":0,"slots":[{"slot":"device"}]}})") == 1);
    CHECK(asked_by_a_poll(R"({"format":1,"status":{"events_acked":0,"slots":[{"slot":"device"}],"bundle":{}}})") == 1);
    CHECK(asked_by_a_poll(R"({"format":1,"status":{"events_acked":0,"root_list":2}})") == 1);
    CHECK(asked_by_a_poll(kPollAway) == 1);
  }
  SECTION("its challenge alone: nothing") {
    CHECK(asked_by_a_poll(R"({"format":1,"status":{"events_acked":0,"challenge":"other"}})") == 0);
  }
  SECTION("orders that wait at the hub") {
    relay.desk.say({.trust = {}, .orders = {}, .events_acked = 0, .has_waiting = true});
    relay.server.on_loop([&] { relay.hubs->orders_changed("p", {}); });
    CHECK(asked_by_a_poll() == 1);
    CHECK(asked_by_a_poll() == 1);
  }
  SECTION("a store that does not know") {
    relay.desk.say({});
    relay.server.on_loop([&] { relay.hubs->orders_changed("p", {}); });
    CHECK(asked_by_a_poll() == 1);
    CHECK(asked_by_a_poll() == 1);
  }
}

TEST_CASE("a hub that has been revoked is not known by its link key any more", "[hubs][IAM-10]") {
  HubServer relay({.hold = std::chrono::milliseconds(0), .repeat = {}, .repeat_away = {}});
  auto client = relay.connect();
  CHECK(client.post("/hub/v1/poll", kPoll).result_int() == 200);
  relay.desk.revoke(relay.link.point());
  relay.server.on_loop([&] { relay.hubs->trust_changed(); });
  CHECK(code_of(client.post("/hub/v1/poll", kPoll)) == "unknown_link_key");
}

TEST_CASE("a hub that is enrolled anew is not known by its older link key any more", "[hubs][IAM-10]") {
  HubServer relay({.hold = std::chrono::milliseconds(0), .repeat = {}, .repeat_away = {}});
  auto client = relay.connect();
  CHECK(client.post("/hub/v1/poll", kPoll).result_int() == 200);
  relay.desk.revoke(relay.link.point());
  const test::Identity newer;
  Client other(relay.server.port(), {.identity = &newer});
  CHECK(other.post("/hub/v1/enrol", R"({"format":1,"code":"right","link_key":{}})").result_int() == 200);
  CHECK(code_of(client.post("/hub/v1/poll", kPoll)) == "unknown_link_key");
}

TEST_CASE("what was just said is not said again at once", "[hubs]") {
  HubServer relay(
      {.hold = std::chrono::milliseconds(20), .repeat = std::chrono::hours(1), .repeat_away = std::chrono::hours(1)});
  relay.desk.say({.trust = {}, .orders = {"3"}, .events_acked = 0});
  auto client = relay.connect();
  CHECK(body_of(client.post("/hub/v1/poll", kPoll))["orders"].size() == 1);
  CHECK(body_of(client.post("/hub/v1/poll", kPoll))["orders"].empty());
  relay.desk.say({.trust = {}, .orders = {"3", "4"}, .events_acked = 0});
  CHECK(body_of(client.post("/hub/v1/poll", kPoll))["orders"].size() == 2);
}

TEST_CASE("a poll with nothing to say ends empty after its time", "[hubs]") {
  HubServer relay(
      {.hold = std::chrono::milliseconds(20), .repeat = std::chrono::hours(1), .repeat_away = std::chrono::hours(1)});
  auto client = relay.connect();
  CHECK(body_of(client.post("/hub/v1/poll", kPoll)) ==
        *parse_json(R"({"root_list":null,"bundle":null,"orders":[],"views":[],"events_acked":0})"));
}

TEST_CASE("a newer poll of the same hub ends the older", "[hubs]") {
  HubServer relay;
  auto first = relay.connect();
  auto older = std::async(std::launch::async, [&] { return first.post("/hub/v1/poll", kPoll); });
  bool is_held = false;
  while (!is_held) relay.server.on_loop([&] { is_held = relay.hubs->is_online("hub-a"); });
  auto second = relay.connect();
  auto newer = std::async(std::launch::async, [&] { return second.post("/hub/v1/poll", kPoll); });
  CHECK(body_of(older.get())["views"].empty());
  relay.offer("x");
  CHECK(body_of(newer.get())["views"].size() == 1);
}

TEST_CASE("no view is handed to a hub whose gate is away", "[hubs]") {
  HubServer relay(
      {.hold = std::chrono::milliseconds(20), .repeat = std::chrono::hours(1), .repeat_away = std::chrono::hours(1)});
  relay.offer("x");
  auto client = relay.connect();
  CHECK(body_of(client.post("/hub/v1/poll", kPollAway))["views"].empty());
  CHECK(body_of(client.post("/hub/v1/poll", kPoll))["views"] == Json::array({"x"}));
}

TEST_CASE("a withdrawn view is not handed over, and one without proof is told to its viewer", "[hubs]") {
  HubServer relay(
      {.hold = std::chrono::milliseconds(20), .repeat = std::chrono::hours(1), .repeat_away = std::chrono::hours(1)});
  relay.offer("x");
  relay.server.on_loop([&] { relay.hubs->withdraw("hub-a", "x"); });
  std::string reason;
  relay.server.on_loop([&] {
    relay.hubs->offer("hub-a",
                      {"y", [](const Json&) -> Result<std::string> { return refused("ledger_forked", "no proof"); },
                       [&](const Error& error) { reason = error.reason; }});
  });
  auto client = relay.connect();
  CHECK(body_of(client.post("/hub/v1/poll", kPoll))["views"].empty());
  CHECK(reason == "ledger_forked");
}

TEST_CASE("a report is acknowledged when it is durable and not before", "[hubs]") {
  HubServer relay;
  auto client = relay.connect();
  const std::string report =
      R"({"format":1,"status":null,"answers":[],"receipts":[],"countersigns":[],"events":[{},{}]})";
  relay.desk.fail_to_record(true);
  const auto refused = client.post("/hub/v1/report", report);
  CHECK(refused.result_int() == 503);
  CHECK(code_of(refused) == "store_fault");
  CHECK(refused.body().find("/secret/place") == std::string::npos);
  relay.desk.fail_to_record(false);
  CHECK(body_of(client.post("/hub/v1/report", report)) == Json({{"events_acked", 2}}));
  CHECK(relay.desk.recorded_events() == 2);
}

TEST_CASE("a hub is enrolled with its code and refused without", "[hubs][IAM-10]") {
  HubServer relay;
  const test::Identity link;
  Client hub(relay.server.port(), {.identity = &link});
  CHECK(code_of(hub.post("/hub/v1/enrol", R"({"format":1,"code":"wrong","link_key":{}})")) == "bad_code");
  CHECK(code_of(hub.post("/hub/v1/enrol", R"({"format":1,"code":"right"})")) == "malformed");
  CHECK(body_of(hub.post("/hub/v1/enrol", R"({"format":1,"code":"right","link_key":{}})")) ==
        Json({{"hub", "hub-e"}, {"provider", "p"}}));
}

TEST_CASE("malformed polls and reports are refused by name", "[hubs]") {
  HubServer relay;
  auto client = relay.connect();
  for (const char* path : {"/hub/v1/poll", "/hub/v1/report", "/hub/v1/enrol"}) {
    for (const char* bad : {"", "{", "[]", "{}", R"({"format":2,"status":null})", "\xff"}) {
      CAPTURE(path, bad);
      CHECK(client.post(path, bad).result_int() == 400);
    }
  }
}

TEST_CASE("lost and back are told to whoever listens, with how long nothing was heard", "[hubs][AVA-1]") {
  struct Told : hubs::Hubs::Listener {
    void hub_changed(const hubs::Hubs::Known& hub) override { states.push_back(hub.online); }
    void answered(const hubs::Hub&, const Json&) override {}
    std::vector<bool> states;
  } told;
  test::FakeHubDesk desk;
  std::unique_ptr<hubs::Hubs> hubs;
  hubs::Hubs::Time now{std::chrono::seconds(1000)};
  test::RunningServer server([&](http::Router&, http::Executor loop, http::Workers& workers) {
    hubs = std::make_unique<hubs::Hubs>(loop, workers, desk, [&] { return now; });
    hubs->listen(&told);
  });
  server.on_loop([&] { hubs->heard({"hub-a", "p"}, nullptr); });
  server.on_loop([&] { now += std::chrono::seconds(44), hubs->tick(); });
  server.on_loop([&] { now += std::chrono::seconds(1), hubs->tick(); });
  server.on_loop([&] {
    CHECK_FALSE(hubs->is_online("hub-a"));
    CHECK(hubs->silences().at(0).silent == std::chrono::seconds(45));
    CHECK(hubs->silences().at(0).online_for == std::chrono::seconds(0));
  });
  server.on_loop([&] { hubs->heard({"hub-a", "p"}, nullptr); });
  server.on_loop([&] { now += std::chrono::seconds(7); });
  server.on_loop([&] { CHECK(hubs->silences().at(0).online_for == std::chrono::seconds(7)); });
  CHECK(told.states == std::vector<bool>{true, false, true});
}
