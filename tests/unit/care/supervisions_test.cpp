#include "relay/care/supervisions.h"

#include "tests/unit/care/served.h"

namespace tillsyn::town {
namespace {

using care::Supervision;
using orders::OutcomeKind;
using std::chrono::hours;
using std::chrono::minutes;

const Instant kStart = *parse_instant("2026-11-22T21:30:00Z");  // of the window w1 on the 22nd
const Instant kEnd = kStart + minutes(15);

// The home of served.h, and what its people sign as time goes by.
struct Night : Served {
  void at_time(Instant instant) { now = maker.now = instant; }

  std::vector<Supervision> all(Instant from = kNow, Instant to = kNow + hours(4)) {
    const auto found = care::supervisions(provider(), from, to);
    REQUIRE(found.ok());
    return *found;
  }
  Supervision only() {
    const auto found = all();
    REQUIRE(found.size() == 1);
    return found.front();
  }
  std::string outcome() {
    const auto one = only();
    return one.outcome ? one.outcome->type : "";
  }
  void sign(OutcomeKind kind, const std::string& window = "w1") {
    const Staff olle = maker.login("olle", Role::kOperator);
    orders::Outcome body;
    body.kind = kind;
    body.resident = hub.home().resident;
    body.group = hub.home().group;
    body.window = {window, *civil::parse_date("2026-11-22")};
    if (kind == OutcomeKind::kCompleted || kind == OutcomeKind::kNotSeen) {
      body.answer = orders::Hash{};
    } else {
      body.reason = "no picture";
    }
    must_post(maker.order(body, {&olle}));
  }
  void replace_schedule(const std::function<void(civil::Schedule&)>& change) {
    const Staff pia = maker.login("pia", Role::kPlanner);
    const Staff per = maker.login("per", Role::kPlanner);
    auto body = OrderMaker::schedule(hub.home());
    change(body.schedule);
    home[4] = maker.successor(home[4], body, {&pia, &per});
    must_post(home[4]);
  }
  void pause(Instant until) {
    const Staff pia = maker.login("pia", Role::kPlanner);
    must_post(
        maker.order(orders::Pause{hub.home().resident, hub.home().home, hub.home().group, until, "hospital"}, {&pia}));
  }
  void withdraw() {
    const Staff carin = maker.login("carin", Role::kCareManager);
    must_post(maker.successor(home[3], orders::Consent{hub.home().resident, hub.home().home, hub.home().group, {}},
                              {&carin}));
  }
};

}  // namespace

TEST_CASE("every window is one supervision, whichever span is asked for", "[care][SES-1]") {
  Night town;
  CHECK(town.all(kNow, kNow + hours(72)).size() == 3);
  CHECK(town.all(kStart - hours(1), kStart).empty());
  CHECK(town.all(kStart, kStart + std::chrono::milliseconds(1)).size() == 1);
  CHECK(town.all(kEnd, kEnd + hours(1)).empty());
  const auto one = town.only();
  CHECK(one.start == kStart);
  CHECK(one.end == kEnd);
  CHECK(one.schedule == to_base64url(town.home[4].hash));
}

TEST_CASE("a window that ended before anybody signed it is nobody's; one that was open then is due", "[care]") {
  Night town;
  CHECK(town.all(kNow - hours(72), kNow).empty());
  town.at_time(kStart + minutes(5));
  town.replace_schedule([](auto& schedule) { schedule.windows[0].window.start = hours(22) + minutes(40); });
  const auto one = town.only();
  CHECK(one.start == kStart + minutes(10));
}

TEST_CASE("a window goes through its states and ends with no outcome as a visit", "[care][SES-4]") {
  Night town;
  const auto state = [&](Instant now) { return std::string(care::state_name(town.only().state(now))); };
  CHECK(state(kStart - minutes(1)) == "upcoming");
  CHECK(state(kStart) == "open");
  CHECK(state(kEnd - minutes(5)) == "ending");
  CHECK(state(kEnd) == "visit");
  CHECK(state(kEnd + hours(100)) == "visit");
}

TEST_CASE("tries in vain, then one outcome: found at the second look, or a visit", "[care][SES-3]") {
  Night town;
  town.at_time(kStart + minutes(1));
  town.sign(OutcomeKind::kNotSeen);
  CHECK(town.outcome().empty());
  CHECK(town.only().tries.size() == 1);
  CHECK(town.only().state(town.now) == Supervision::State::kOpen);
  SECTION("found at the second look") {
    town.sign(OutcomeKind::kCompleted);
    CHECK(town.outcome() == "completed");
    CHECK(town.only().tries.size() == 1);
    town.at_time(kEnd + minutes(1));
    town.sign(OutcomeKind::kUnable);  // outweighs it
    CHECK(town.outcome().empty());
  }
  SECTION("a visit") {
    town.sign(OutcomeKind::kUnable);
    CHECK(town.only().state(town.now) == Supervision::State::kVisit);
    town.sign(OutcomeKind::kVisitTaken);
    CHECK(town.outcome() == "visit-taken");
    town.sign(OutcomeKind::kNotSeen);
    CHECK(town.outcome() == "visit-taken");
  }
}

TEST_CASE("a visit that is taken before there was an alarm counts for nothing", "[care][SES-4]") {
  Night town;
  town.at_time(kStart + minutes(1));
  town.sign(OutcomeKind::kVisitTaken);
  CHECK(town.outcome().empty());
  town.at_time(kEnd);
  CHECK(town.only().state(town.now) == Supervision::State::kVisit);
  town.sign(OutcomeKind::kVisitTaken);
  CHECK(town.outcome() == "visit-taken");
}

TEST_CASE("an outcome for another window or date ends nothing here", "[care][SES-4]") {
  Night town;
  town.at_time(kEnd);
  town.sign(OutcomeKind::kCompleted, "w2");
  CHECK(town.outcome().empty());
}

TEST_CASE("a window that had begun stays due when its schedule is replaced, one that had not goes", "[care][SES-4]") {
  Night town;
  const auto none = [](civil::Schedule& schedule) { schedule.windows.clear(); };
  SECTION("begun") {
    town.at_time(kStart + minutes(1));
    town.replace_schedule(none);
    CHECK(town.only().state(kEnd) == Supervision::State::kVisit);
  }
  SECTION("not begun") {
    town.at_time(kStart - minutes(1));
    town.replace_schedule(none);
    CHECK(town.all().empty());
  }
  SECTION("the relay has started anew meanwhile") {
    town.at_time(kStart + minutes(1));
    town.replace_schedule(none);
    town.start();
    CHECK(town.only().state(kEnd) == Supervision::State::kVisit);
  }
}

TEST_CASE("a schedule that has run out leaves its windows due; a withdrawn consent does not", "[care][SES-4]") {
  Night town;
  SECTION("run out") {
    town.replace_schedule([](auto& schedule) { schedule.valid_to = *civil::parse_date("2026-11-22"); });
    CHECK(town.all(kNow, kNow + hours(72)).size() == 3);
  }
  SECTION("withdrawn before") {
    town.withdraw();
    CHECK(town.all(kNow, kNow + hours(72)).empty());
  }
  SECTION("withdrawn within") {
    town.at_time(kStart + minutes(1));
    town.withdraw();
    CHECK(town.all(kNow, kNow + hours(72)).size() == 1);
  }
}

TEST_CASE("a pause is an outcome when it holds to the window's end, and only then", "[care][SES-9]") {
  Night town;
  SECTION("through the night") {
    town.pause(kNow + hours(12));
    CHECK(town.outcome() == "paused");
    CHECK(town.only().state(kEnd + hours(1)) == Supervision::State::kDone);
  }
  SECTION("until the middle of the window") {
    town.pause(kStart + minutes(5));
    CHECK(town.outcome().empty());
  }
  SECTION("signed after the window") {
    town.at_time(kEnd + minutes(1));
    town.pause(kNow + hours(12));
    CHECK(town.outcome().empty());
  }
}

TEST_CASE("the resident's own pause is an outcome when it holds to the window's end, until somebody signs another",
          "[care][ENF-6]") {
  Night town;
  SECTION("pressed before, or within") {
    town.press("resident_paused", GENERATE(kNow, kStart + minutes(5)));
    const auto one = town.only();
    CHECK(town.outcome() == "paused");
    CHECK(one.is_paused_by_resident);
    CHECK(one.state(kEnd + hours(1)) == Supervision::State::kDone);
    town.at_time(kEnd + minutes(1));
    town.sign(OutcomeKind::kPauseKnown);
    CHECK(town.outcome() == "pause-known");
    CHECK_FALSE(town.only().is_paused_by_resident);
  }
  SECTION("and pressed again before the end") {
    town.press("resident_paused", kStart);
    town.press("resident_resumed", kEnd - minutes(1));
    CHECK(town.outcome().empty());
  }
  SECTION("pressed after the window") {
    town.press("resident_paused", kEnd);
    CHECK(town.outcome().empty());
  }
  SECTION("after a look in vain a visit is due all the same") {
    town.press("resident_paused", kStart);
    town.at_time(kStart + minutes(1));
    town.sign(OutcomeKind::kUnable);
    CHECK(town.outcome().empty());
    CHECK(town.only().state(kEnd) == Supervision::State::kVisit);
  }
  SECTION("a completed supervision counts more") {
    town.at_time(kStart + minutes(1));
    town.sign(OutcomeKind::kCompleted);
    town.press("resident_paused", kStart + minutes(2));
    CHECK(town.outcome() == "completed");
    CHECK_FALSE(town.only().is_paused_by_resident);
  }
  SECTION("beside a pause by staff it is theirs") {
    town.pause(kNow + hours(12));
    town.press("resident_paused", kStart);
    CHECK(town.outcome() == "paused");
    CHECK_FALSE(town.only().is_paused_by_resident);
  }
}

TEST_CASE("the night when clocks go back has each supervision once", "[care][SES-1]") {
  Night town;
  const auto from = *parse_instant("2026-10-24T12:00:00Z");
  // The timeline begins with the schedule's acceptance; it is moved before that night.
  REQUIRE(town.provider()
              .database
              .run("update orders set posted_ms = :ms", {std::int64_t{(from - hours(1)).time_since_epoch().count()}})
              .ok());
  town.start();
  std::set<care::WindowKey> keys;
  const auto found = town.all(from, from + hours(48));
  for (const auto& one : found) keys.insert(one.key());
  CHECK(found.size() == 2);
  CHECK(keys.size() == 2);
}

}  // namespace tillsyn::town
