#include "tests/unit/alarms/watched.h"

namespace tillsyn::town {

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

TEST_CASE("a copy of the log that fails, lags or is another log's is an alarm until it is well",
          "[alarms][AUD-1][AVA-7]") {
  using State = alarms::CopyHeard::State;
  Watched town;
  const auto [state, reason, kind] = GENERATE(table<State, std::string, std::string>({
      {State::kLate, "copy_unwritable", "copy_late"},
      {State::kLate, "copy_behind", "copy_late"},
      {State::kDisagrees, "", "copy_disagrees"},
  }));
  town.hears_of_copy({State::kWell, {}, {}});
  CHECK_FALSE(town.look());
  town.hears_of_copy({state, reason, seconds(40)});
  CHECK(town.look());
  const auto alarm = town.only(kind);
  CHECK(alarm.about.since == town.now - seconds(40));
  CHECK(alarm.about.reason.value_or("") == reason);
  CHECK(alarm.about.group == std::nullopt);
  CHECK(town.entries("alarm_raised", kind) == 1);
  SECTION("a relay that has just begun and not looked at it yet lets it stand") {
    town.start();
    town.look();
    CHECK(town.only(kind).id == alarm.id);
    town.hears_of_copy({state, reason, seconds(1)});
    town.look();
    CHECK(town.only(kind).id == alarm.id);
    CHECK(town.entries("alarm_raised", kind) == 1);
  }
  town.hears_of_copy({State::kWell, {}, {}});
  CHECK(town.look());
  CHECK(town.open().empty());
  CHECK(town.entries("alarm_cleared", kind) == 1);
}

TEST_CASE("a copy that lags and then is another log's: the one alarm ends, the other begins", "[alarms][AUD-1]") {
  using State = alarms::CopyHeard::State;
  Watched town;
  town.hears_of_copy({State::kLate, "copy_behind", seconds(31)});
  town.look();
  town.hears_of_copy({State::kDisagrees, {}, seconds(0)});
  town.look();
  town.only("copy_disagrees");
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
    looks(hearing(3, seconds(110)));
    looks(hearing(2, seconds(120)));  // more than half are back: the others have their time
    town.at_time(town.now + alarms::kReturn - seconds(1));
    looks(hearing(1, seconds(160)));
    CHECK(town.entries("area_back") == 0);
    CHECK(town.only("area_lost").id == alarm.id);
    town.at_time(town.now + seconds(1));
    looks(hearing(1, seconds(161)));
    CHECK(town.entries("area_back") == 1);
    CHECK(town.entries("hub_lost") == 1);  // the one that is left
    CHECK(town.only("hub_lost").about.hub == south[0]);
  }
  SECTION("back one after another: nobody is told of them by name") {
    looks(hearing(5, seconds(53)));
    for (std::size_t left = 4; left > 0; --left) {
      town.at_time(town.now + seconds(9));
      looks(hearing(left, seconds(60)));
    }
    CHECK(town.entries("area_back") == 0);
    looks(hearing(0, seconds(0)));
    CHECK(town.open().empty());
    CHECK(town.entries("area_back") == 1);
    CHECK(town.entries("hub_lost") == 0);
  }
  SECTION("one that comes and goes meanwhile is one that is back, or one that is not") {
    looks(hearing(5, seconds(53)));
    for (int i = 0; i < 6; ++i) {
      looks(hearing(4, seconds(60)));
      town.at_time(town.now + seconds(1));
      looks(hearing(5, seconds(60)));
      town.at_time(town.now + seconds(1));
    }
    looks(hearing(4, seconds(60)));
    town.at_time(town.now + alarms::kReturn + seconds(1));
    looks(hearing(4, seconds(110)));
    CHECK(town.entries("area_back") == 0);
    CHECK(town.entries("hub_lost") == 0);
    CHECK(town.kinds() == std::vector<std::string>{"area_lost"});
    looks(hearing(0, seconds(0)));
    CHECK(town.entries("area_back") == 1);
    CHECK(town.open().empty());
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

}  // namespace tillsyn::town
