#include <algorithm>
#include <set>

#include "common/orders/bindings.h"
#include "relay/alarms/losses.h"
#include "relay/alarms/maintenance.h"
#include "relay/alarms/watch.h"
#include "relay/webhooks/queue.h"
#include "tests/unit/care/served.h"

namespace tillsyn::town {
namespace {

using alarms::Alarm;
using alarms::Hearing;
using orders::OutcomeKind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = *parse_instant("2026-11-22T21:30:00Z");  // of the window w1 on the 22nd
const Instant kEnd = kStart + minutes(15);

// The home of served.h, and the watch over it. Its hub is heard, and has confirmed everything.
struct Watched : Served {
  Watched() {
    for (const auto& order : home) receive(order.hash, Verdict::Kind::kAccepted);
    hears({{hub.id(), online()}});
    look();
  }

  static alarms::Heard online(std::chrono::milliseconds online_for = hours(5)) {
    return {true, seconds(3), online_for};
  }
  static alarms::Heard silent(std::chrono::milliseconds silent_for) { return {false, silent_for, {}}; }
  void hears(Hearing hearing) { services->watch(provider()).hear(std::move(hearing)); }
  void at_time(Instant instant) { now = maker.now = instant; }

  bool look() {
    const auto changed = services->watch(provider()).evaluate(now);
    REQUIRE(changed.ok());
    return *changed;
  }
  // Time goes by, and the relay looks every minute.
  void go_to(Instant instant) {
    while (now < instant) {
      at_time(std::min<Instant>(now + minutes(1), instant));
      look();
    }
  }
  std::vector<Alarm> open() {
    const auto found = services->watch(provider()).open();
    REQUIRE(found.ok());
    return *found;
  }
  std::vector<std::string> kinds() {
    std::vector<std::string> out;
    for (const auto& alarm : open()) out.push_back(alarm.about.kind);
    std::sort(out.begin(), out.end());
    return out;
  }
  Alarm only(const std::string& kind) {
    const auto found = open();
    REQUIRE(kinds() == std::vector<std::string>{kind});
    return found.front();
  }
  // How often this stands in the log, of this kind.
  long entries(const std::string& what, const std::optional<std::string>& reason = {}) {
    const auto all = log();
    return std::count_if(all.begin(), all.end(),
                         [&](const auto& entry) { return entry.what == what && (!reason || entry.reason == reason); });
  }
  void sign(OutcomeKind kind) {
    const Staff olle = maker.login("olle", Role::kOperator);
    orders::Outcome body;
    body.kind = kind;
    body.resident = hub.home().resident;
    body.group = hub.home().group;
    body.window = {"w1", *civil::parse_date("2026-11-22")};
    if (kind == OutcomeKind::kCompleted || kind == OutcomeKind::kNotSeen) {
      body.answer = orders::Hash{};
    } else {
      body.reason = "no picture";
    }
    must_post(maker.order(body, {&olle}));
  }
  void release() {
    const Staff inga = maker.login("inga", Role::kInstaller);
    const Staff carin = maker.login("carin", Role::kCareManager);
    const auto at_home = hub.home();
    const auto order = maker.successor(
        home[1], orders::Release{at_home.hub, at_home.resident, at_home.home, at_home.group, "moved"}, {&inga, &carin});
    must_post(order);
    receive(order.hash, Verdict::Kind::kAccepted);
  }
  void replace_schedule(const std::function<void(civil::Schedule&)>& change) {
    const Staff pia = maker.login("pia", Role::kPlanner);
    const Staff per = maker.login("per", Role::kPlanner);
    auto body = OrderMaker::schedule(hub.home());
    change(body.schedule);
    home[4] = maker.successor(home[4], body, {&pia, &per});
    must_post(home[4]);
    receive(home[4].hash, Verdict::Kind::kAccepted);
  }
  // Further homes in a group, by their hubs.
  std::vector<std::string> more_homes(const std::string& group, int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      const TestHub other(group + std::to_string(i));
      Home place = other.home();
      place.resident = fakes::random_id("resident of " + other.id());
      place.home = fakes::random_id("home of " + other.id());
      place.group = group;
      const auto at_it = enrol(other.device_key);
      const Staff tore = maker.login("tore", Role::kTechnician);
      const Staff inga = maker.login("inga", Role::kInstaller);
      const auto device = maker.order(OrderMaker::device(other.device_key.public_key()), {&tore});
      const auto assignment = maker.order(OrderMaker::assignment(place), {&inga});
      must_post(device);
      must_post(assignment);
      REQUIRE(desk.record(at_it, {{}, {}, {other.countersign(assignment.hash)}, {}}).ok());
      ids.push_back(other.id());
    }
    return ids;
  }
  orders::Person person(const std::string& name) { return maker.login(name, Role::kOperator).person; }
};

}  // namespace

// ---- supervisions

TEST_CASE("a window that ends without an outcome is an alarm at once, until a visit is taken",
          "[alarms][SES-4][LOG-4]") {
  Watched town;
  CHECK(town.open().empty());
  town.go_to(kEnd - seconds(1));
  CHECK(town.open().empty());
  town.go_to(kEnd);
  const auto alarm = town.only("missing_outcome");
  CHECK(alarm.about.since == kEnd);
  CHECK(alarm.about.group == "north");
  CHECK(alarm.about.window == "w1");
  CHECK(town.entries("alarm_raised", "missing_outcome") == 1);
  town.go_to(kEnd + minutes(1));
  CHECK(town.only("missing_outcome").id == alarm.id);
  CHECK(town.entries("alarm_raised") == 1);
  town.sign(OutcomeKind::kVisitTaken);
  CHECK(town.look());
  CHECK(town.open().empty());
  CHECK(town.entries("alarm_cleared", "missing_outcome") == 1);
}

TEST_CASE("a window with its outcome, or paused, is no alarm", "[alarms][SES-4]") {
  Watched town;
  town.go_to(kStart + minutes(1));
  SECTION("completed") { town.sign(OutcomeKind::kCompleted); }
  SECTION("pause known") { town.sign(OutcomeKind::kPauseKnown); }
  town.go_to(kEnd + minutes(1));
  CHECK(town.open().empty());
}

TEST_CASE("a window that the resident has paused is no fault, but an alarm of its own until it is known or ends",
          "[alarms][ENF-6][SES-4]") {
  Watched town;
  town.press("resident_paused", kNow);
  town.go_to(kStart - seconds(1));
  CHECK(town.open().empty());
  town.go_to(kStart);
  const auto alarm = town.only("resident_paused");
  CHECK(alarm.about.since == kStart);
  CHECK(alarm.about.window == "w1");
  SECTION("known") { town.sign(OutcomeKind::kPauseKnown); }
  SECTION("somebody goes there") { town.sign(OutcomeKind::kVisitTaken); }
  SECTION("ended by the resident while the window is open") {
    town.press("resident_resumed", kStart + minutes(1));
    town.go_to(kStart + minutes(2));
    CHECK(town.open().empty());
    town.go_to(kEnd);
    CHECK(town.only("missing_outcome").about.since == kEnd);
    return;
  }
  SECTION("neither") {
    town.go_to(kEnd + minutes(10));
    CHECK(town.only("resident_paused").id == alarm.id);
    return;
  }
  town.look();
  CHECK(town.open().empty());
  town.go_to(kEnd + minutes(1));
  CHECK(town.open().empty());
}

TEST_CASE("unable is an alarm at once; not seen becomes one at the window's end", "[alarms][SES-3]") {
  Watched town;
  town.go_to(kStart + minutes(1));
  SECTION("unable") {
    town.sign(OutcomeKind::kUnable);
    town.look();
    CHECK(town.only("visit_needed").about.reason == "unable");
  }
  SECTION("not seen") {
    town.sign(OutcomeKind::kNotSeen);
    town.look();
    CHECK(town.open().empty());
    town.go_to(kEnd);
    CHECK(town.only("visit_needed").about.reason == "not-seen");
  }
}

TEST_CASE("an alarm outlives any lookback, until somebody ends it", "[alarms][SES-4]") {
  Watched town;
  town.replace_schedule([](auto& schedule) {
    schedule.windows.clear();
    schedule.exceptions = {{*civil::parse_date("2026-11-22"), {{"w1", hours(22) + minutes(30), minutes(15)}}}};
  });
  town.go_to(kEnd);
  const auto id = town.only("missing_outcome").id;
  for (int day = 1; day < 9; ++day) {
    town.at_time(kEnd + hours(24 * day));
    town.look();
  }
  const auto open = town.open();
  CHECK(std::count_if(open.begin(), open.end(), [&](const auto& alarm) { return alarm.id == id; }) == 1);
}

TEST_CASE("a window near which no hub will open is an alarm before it", "[alarms][SES-4]") {
  Watched town;
  SECTION("the wrong hub was released") {
    town.release();
    town.go_to(kStart - minutes(31));
    CHECK(town.open().empty());
    town.go_to(kStart - minutes(30) + seconds(30));
    const auto alarm = town.only("hub_missing");
    CHECK(alarm.about.reason == "no_assignment");
    CHECK(alarm.about.since == kStart - minutes(30));
    town.go_to(kEnd);
    CHECK(town.kinds() == std::vector<std::string>{"hub_unassigned", "missing_outcome"});
  }
  SECTION("the hub is lost") {
    town.go_to(kStart - minutes(20));
    town.hears({{town.hub.id(), Watched::silent(minutes(1))}});
    town.look();
    CHECK(town.kinds() == std::vector<std::string>{"hub_lost", "hub_missing"});
    town.hears({{town.hub.id(), Watched::online()}});
    town.look();
    CHECK(town.open().empty());
  }
  SECTION("a visit can be taken as soon as that is an alarm") {
    town.release();
    town.go_to(kStart - minutes(10));
    CHECK(town.kinds().front() == "hub_missing");
    town.sign(OutcomeKind::kVisitTaken);
    town.look();
    CHECK(town.entries("alarm_cleared", "hub_missing") == 1);
    town.go_to(kEnd + minutes(1));
    CHECK(town.entries("alarm_raised", "missing_outcome") == 0);
  }
}

// ---- decisions, hubs, receipts

TEST_CASE("a decision without windows is an alarm when its hours have come", "[alarms]") {
  Watched town;
  const auto tonight = *parse_instant("2026-11-22T20:00:00Z");  // 21:00, the consent's first permitted minute
  SECTION("none at all: an hour after the decision, on its first night") {
    town.replace_schedule([](auto& schedule) { schedule.windows.clear(); });
    town.go_to(kNow + minutes(59));
    CHECK(town.open().empty());
    town.go_to(kNow + minutes(60));
    CHECK(town.only("no_windows").about.since == kNow + hours(1));
    town.go_to(kNow + hours(3));
    CHECK(town.entries("alarm_raised", "no_windows") == 1);
    town.replace_schedule([](auto&) {});
    town.look();
    CHECK(town.open().empty());
  }
  SECTION("it begins too late") {
    town.replace_schedule([](auto& schedule) { schedule.valid_from = *civil::parse_date("2026-11-30"); });
    town.go_to(kNow + hours(1));
    CHECK(town.kinds() == std::vector<std::string>{"no_windows"});
    const auto id = town.only("no_windows").id;
    town.at_time(tonight + hours(20));  // the next evening, not yet mended
    town.look();
    const auto open = town.open();
    CHECK(std::count_if(open.begin(), open.end(), [&](const auto& alarm) { return alarm.id == id; }) == 1);
  }
  SECTION("this date was taken out by two people: no alarm") {
    town.replace_schedule([](auto& schedule) { schedule.exceptions = {{*civil::parse_date("2026-11-22"), {}}}; });
    town.go_to(kNow + hours(2));
    CHECK(town.open().empty());
  }
  SECTION("the consent has been withdrawn: no alarm") {
    town.replace_schedule([](auto& schedule) { schedule.windows.clear(); });
    const Staff carin = town.maker.login("carin", Role::kCareManager);
    const auto at_home = town.hub.home();
    const auto withdrawn = town.maker.successor(
        town.home[3], orders::Consent{at_home.resident, at_home.home, at_home.group, {}}, {&carin});
    town.must_post(withdrawn);
    town.receive(withdrawn.hash, Verdict::Kind::kAccepted);
    town.go_to(kNow + hours(2));
    CHECK(town.open().empty());
  }
}

TEST_CASE("a hub that is heard and serves nobody is an alarm after an hour", "[alarms]") {
  Watched town;
  TestHub spare("spare");
  town.enrol(spare.device_key);
  const Staff tore = town.maker.login("tore", Role::kTechnician);
  const auto device = town.maker.order(OrderMaker::device(spare.device_key.public_key()), {&tore});
  town.must_post(device);
  SECTION("heard") {
    town.hears({{town.hub.id(), Watched::online()}, {spare.id(), Watched::online(seconds(10))}});
    town.go_to(kNow + minutes(59));
    CHECK(town.open().empty());
    town.go_to(kNow + hours(1));
    CHECK(town.only("hub_unassigned").about.hub == spare.id());
  }
  SECTION("in its box") {
    town.hears({{town.hub.id(), Watched::online()}, {spare.id(), Watched::silent(hours(1))}});
    town.go_to(kStart - minutes(31));
    CHECK(town.open().empty());
  }
}

TEST_CASE("an order without receipt is an alarm after a minute with the hub online", "[alarms]") {
  Watched town;
  const Staff pia = town.maker.login("pia", Role::kPlanner);
  const Staff per = town.maker.login("per", Role::kPlanner);
  const auto next = town.maker.successor(town.home[4], OrderMaker::schedule(town.hub.home()), {&pia, &per});
  town.must_post(next);
  town.go_to(kNow + seconds(59));
  CHECK(town.open().empty());
  SECTION("nothing comes") {
    town.go_to(kNow + seconds(60));
    const auto alarm = town.only("no_receipt");
    CHECK(alarm.about.order == to_base64url(next.hash));
    CHECK(alarm.about.reason == std::nullopt);
    town.receive(next.hash, Verdict::Kind::kAccepted);
    town.look();
    CHECK(town.open().empty());
  }
  SECTION("the relay starts anew, the hub goes: neither confirms it") {
    town.go_to(kNow + seconds(60));
    const auto id = town.only("no_receipt").id;
    town.start();
    town.look();
    town.hears({{town.hub.id(), Watched::silent(seconds(1))}});
    town.look();
    town.hears({{town.hub.id(), Watched::online(seconds(1))}});
    town.look();
    CHECK(town.only("no_receipt").id == id);
    api::HubDesk anew(*town.services);
    REQUIRE(anew.record(town.at, {{}, {town.hub.receipt(next.hash, Verdict::Kind::kAccepted)}, {}, {}}).ok());
    town.look();
    CHECK(town.open().empty());
  }
  SECTION("it waits at the hub") {
    town.receive(next.hash, Verdict::Kind::kWaiting, "no_consent");
    town.go_to(kNow + seconds(60));
    CHECK(town.only("no_receipt").about.reason == "no_consent");
  }
  SECTION("the hub refuses it: at once") {
    town.receive(next.hash, Verdict::Kind::kRefused, "beyond_consent");
    town.look();
    CHECK(town.only("order_refused").about.reason == "beyond_consent");
  }
  SECTION("the hub was not heard meanwhile, or not for long") {
    town.hears({{town.hub.id(), Watched::online(seconds(59))}});
    town.go_to(kNow + minutes(2));
    CHECK(town.open().empty());
  }
  SECTION("another hub's receipt does not count") {
    TestHub other("other hub");
    const auto at = town.enrol(other.device_key);
    REQUIRE(town.desk.record(at, {{}, {other.receipt(next.hash, Verdict::Kind::kAccepted)}, {}, {}}).ok());
    town.go_to(kNow + seconds(60));
    CHECK(town.only("no_receipt").about.hub == town.hub.id());
  }
}

// ---- told once

TEST_CASE("an alarm is raised, acknowledged and cleared once each, over any number of restarts", "[alarms][AVA-3]") {
  Watched town;
  const auto one = webhooks::read_integration({{"url", "https://alarm.example/"}, {"ca", nullptr}});
  REQUIRE(webhooks::add(town.provider(), *one, town.now).ok());
  const auto restart = [&] {
    town.start();
    town.hears({{town.hub.id(), Watched::online()}});
    town.look();
    town.look();
  };
  town.go_to(kEnd);
  const auto id = town.only("missing_outcome").id;
  restart();
  CHECK(town.only("missing_outcome").id == id);
  REQUIRE(town.services->watch(town.provider()).acknowledge(id, town.person("olle"), town.now).ok());
  restart();
  const auto alarm = town.only("missing_outcome");
  REQUIRE(alarm.acknowledged.has_value());
  CHECK(alarm.acknowledged->who == town.person("olle"));
  town.sign(OutcomeKind::kVisitTaken);
  restart();
  CHECK(town.open().empty());
  for (const char* what : {"alarm_raised", "alarm_acknowledged", "alarm_cleared"}) {
    INFO(what);
    CHECK(town.entries(what) == 1);
  }
  const auto told = town.provider().database.select<std::string>("select body from deliveries order by n");
  REQUIRE(told->size() == 3);
  CHECK(Json::parse(std::get<0>(told->at(0)))["type"] == "alarm_raised");
  CHECK(Json::parse(std::get<0>(told->at(2)))["type"] == "alarm_cleared");
}

TEST_CASE("what nobody acknowledges is escalated, twice; what somebody has is not", "[alarms][AVA-9]") {
  Watched town;
  town.go_to(kEnd);
  const auto id = town.only("missing_outcome").id;
  SECTION("nobody") {
    town.go_to(kEnd + minutes(5) - seconds(1));
    CHECK(town.open().front().level == 0);
    town.go_to(kEnd + minutes(5));
    CHECK(town.open().front().level == 1);
    town.go_to(kEnd + minutes(20));
    CHECK(town.open().front().level == 2);
    CHECK(town.entries("alarm_escalated") == 2);
  }
  SECTION("somebody; the second who tries is told of the first") {
    auto& watch = town.services->watch(town.provider());
    REQUIRE(watch.acknowledge(id, town.person("olle"), town.now).ok());
    const auto again = watch.acknowledge(id, town.person("pia"), town.now);
    REQUIRE(again.ok());
    CHECK(again->acknowledged->who == town.person("olle"));
    town.go_to(kEnd + hours(1));
    CHECK(town.open().front().level == 0);
    CHECK(town.entries("alarm_acknowledged") == 1);
    CHECK(town.entries("alarm_escalated") == 0);
  }
  CHECK(town.services->watch(town.provider()).acknowledge("x", town.person("olle"), town.now).error().reason ==
        "no_alarm");
}

TEST_CASE("a time in which nobody looked is an alarm, and what ended in it is found", "[alarms][AVA-3]") {
  Watched town;
  town.go_to(kNow + minutes(1));
  const auto stopped = town.now;
  SECTION("two days") {
    town.at_time(kEnd + hours(48));
    town.start();
    town.look();
    const auto kinds = town.kinds();
    CHECK(std::count(kinds.begin(), kinds.end(), "missing_outcome") == 3);
    REQUIRE(std::count(kinds.begin(), kinds.end(), "not_evaluated") == 1);
    for (const auto& alarm : town.open()) {
      if (alarm.about.kind != "not_evaluated") continue;
      CHECK(alarm.about.since <= stopped);
      CHECK(stopped - alarm.about.since <= seconds(30));
      town.look();
      CHECK(town.entries("alarm_raised", "not_evaluated") == 1);
      REQUIRE(town.services->watch(town.provider()).acknowledge(alarm.id, town.person("olle"), town.now).ok());
    }
    town.look();
    CHECK(town.entries("alarm_cleared", "not_evaluated") == 1);
  }
  SECTION("a minute") {
    town.at_time(town.now + minutes(1));
    town.start();
    town.look();
    CHECK(town.open().empty());
  }
}

// ---- presence

TEST_CASE("a lost hub is entered once, and back once, over a restart too", "[alarms][LOG-7][LOG-8][AVA-1]") {
  Watched town;
  const auto hub = town.hub.id();
  const auto looks = [&](alarms::Heard heard) {
    town.hears({{hub, heard}});
    town.look();
  };
  looks(Watched::silent(seconds(52)));
  CHECK(town.open().empty());
  looks(Watched::silent(seconds(53)));
  CHECK(town.only("hub_lost").about.since == town.now - seconds(53));
  CHECK(town.entries("hub_lost") == 1);
  CHECK(town.newest().what == "alarm_raised");
  town.start();
  looks(Watched::silent(seconds(2)));  // the relay has just begun to expect it
  looks(Watched::silent(seconds(60)));
  CHECK(town.entries("hub_lost") == 1);
  CHECK(town.entries("alarm_raised", "hub_lost") == 1);
  looks(Watched::online());
  CHECK(town.entries("hub_back") == 1);
  CHECK(town.open().empty());
  town.start();
  looks(Watched::online());
  CHECK(town.entries("hub_back") == 1);
}

TEST_CASE("a hub that comes and goes is flapping, not lost again and again", "[alarms][AVA-1]") {
  Watched town;
  const auto hub = town.hub.id();
  for (int i = 0; i < 6; ++i) {
    town.now += minutes(1);
    town.hears({{hub, Watched::silent(seconds(55))}});
    town.look();
    town.now += minutes(1);
    town.hears({{hub, Watched::online()}});
    town.look();
  }
  CHECK(town.entries("hub_lost") == 2);
  CHECK(town.entries("hub_back") == 2);
  CHECK(town.entries("hub_flapping") == 1);
  CHECK(town.only("hub_flapping").about.hub == hub);
  town.now += minutes(16);
  town.look();
  CHECK(town.entries("alarm_cleared", "hub_flapping") == 1);
}

TEST_CASE("an area that is lost is one event and one alarm; so is the whole service", "[alarms][AVA-1]") {
  Watched town;
  auto south = town.more_homes("south", 5);
  const auto hearing = [&](std::size_t lost, seconds silent, bool with_north = false) {
    Hearing out{{town.hub.id(), with_north ? Watched::silent(silent) : Watched::online()}};
    for (std::size_t i = 0; i < south.size(); ++i)
      out[south[i]] = i < lost ? Watched::silent(silent) : Watched::online(seconds(9));
    return out;
  };
  const auto looks = [&](Hearing heard) {
    town.hears(std::move(heard));
    town.look();
  };
  SECTION("the area") {
    looks(hearing(5, seconds(53)));
    CHECK(town.entries("area_lost") == 1);
    CHECK(town.entries("hub_lost") == 0);
    const auto alarm = town.only("area_lost");
    CHECK(alarm.about.group == "south");
    town.start();
    looks(hearing(5, seconds(90)));
    CHECK(town.entries("area_lost") == 1);
    CHECK(town.only("area_lost").id == alarm.id);
    looks(hearing(1, seconds(120)));
    CHECK(town.entries("area_back") == 1);
    CHECK(town.entries("hub_lost") == 1);  // the one that is left
    CHECK(town.only("hub_lost").about.hub == south[0]);
  }
  SECTION("staggered, as their polls were: the first decides, the others join") {
    auto first = hearing(5, seconds(30));
    first[south[0]] = Watched::silent(seconds(53));
    looks(first);
    CHECK(town.entries("area_lost") == 1);
    looks(hearing(5, seconds(60)));
    CHECK(town.entries("area_lost") == 1);
    CHECK(town.entries("hub_lost") == 0);
  }
  SECTION("two of five is two hubs") {
    looks(hearing(2, seconds(53)));
    CHECK(town.entries("area_lost") == 0);
    CHECK(town.entries("hub_lost") == 2);
    CHECK(town.kinds() == std::vector<std::string>{"hub_lost", "hub_lost"});
  }
  SECTION("everything") {
    looks(hearing(5, seconds(53), true));
    CHECK(town.only("service_lost").about.group == std::nullopt);
    CHECK(town.entries("area_lost") == 1);
    CHECK(town.entries("hub_lost") == 0);
    looks(hearing(0, seconds(0)));
    CHECK(town.open().empty());
    CHECK(town.entries("hub_back") == 0);
    CHECK(town.entries("area_back") == 1);
  }
}

// ---- the routes

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
  listener.alarms_changed = [&](const std::string&) { ++told; };
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

TEST_CASE("supervisions come page by page, each once, in the caller's groups", "[alarms][api][SES-1]") {
  Asked town;
  const auto noa = town.token_of("noa", Role::kOperator);
  const auto span = [](const char* to) {
    return std::map<std::string, std::string>{{"from", "2026-11-22T20:00:00Z"}, {"to", to}, {"count", "2"}};
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
  CHECK(refused({{"count", "0"}}));
  CHECK(refused({{"count", "501"}}));
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
