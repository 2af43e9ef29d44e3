#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;
using std::chrono::days;
using std::chrono::hours;

namespace {

// A schedule whose only difference is the name of its window.
ScheduleOrder schedule_named(const Scene& s, const char* id) {
  auto out = OrderMaker::schedule(s.home);
  out.schedule.windows[0].window.id = id;
  return out;
}

enum : std::size_t { kDevice, kAssignment, kAcceptance, kConsent, kSchedule };  // of Scene::standing

std::string open_at(const Scene& s, const OrderBook& book) {
  return said(book.schedule_in_force(s.home.hub, s.home.resident, s.maker.now));
}

}  // namespace

TEST_CASE("a slot's next version is one higher and names the order it replaces", "[orders]") {
  Scene s;
  const Order& held = s.standing[kSchedule];
  const auto checked = [&](const Body& body, std::int64_t version, std::optional<Hash> replaces) {
    return said(s.book.check(s.maker.order(body, {&s.pia, &s.per}, version, replaces)));
  };
  const auto other = schedule_named(s, "w2");
  CHECK(said(s.book.check(held)) == "accepted");  // held already
  CHECK(checked(other, 2, held.hash) == "accepted");
  CHECK(checked(other, 1, std::nullopt) == "refused slot_taken");
  CHECK(checked(other, 1, held.hash) == "refused slot_taken");
  CHECK(checked(other, 2, std::nullopt) == "refused wrong_predecessor");
  CHECK(checked(other, 2, fakes::bytes32("other")) == "refused wrong_predecessor");
  CHECK(checked(other, 3, held.hash) == "waiting version_gap");

  const Order second = s.maker.successor(held, other, {&s.pia, &s.per});
  s.book.put(second);
  CHECK(s.book.holder(held)->hash == second.hash);
  CHECK(said(s.book.check(held)) == "refused superseded");
  CHECK(said(s.book.check(s.maker.successor(held, schedule_named(s, "w3"), {&s.pia, &s.per}))) == "refused slot_taken");
}

TEST_CASE("an empty slot takes any version", "[orders]") {
  const Scene s;
  const auto order = s.maker.order(s.maker.consent(s.home), {&s.carin, &s.carl}, 7, fakes::bytes32("long ago"));
  CHECK(said(OrderBook().check(order)) == "accepted");
}

TEST_CASE("orders that only close act whatever their version", "[orders][ENF-5]") {
  Scene s;
  const Order& consent = s.standing[kConsent];
  const auto withdrawal = [&](std::int64_t version, const char* by = "carin") {
    const Staff staff = s.maker.login(by, Role::kCareManager);
    return s.maker.order(s.withdrawal(), {&staff}, version, fakes::bytes32("anything"));
  };
  SECTION("with a gap") {
    CHECK(said(s.book.check(withdrawal(9))) == "accepted");
    s.book.put(withdrawal(9));
    CHECK(open_at(s, s.book) == "refused consent_withdrawn");
    CHECK(said(s.book.check(withdrawal(8))) == "refused superseded");
    CHECK(said(s.book.check(withdrawal(9, "carl"))) == "refused slot_taken");
  }
  SECTION("with the version of an order that opens") {
    CHECK(said(s.book.check(withdrawal(1))) == "accepted");
    s.book.put(withdrawal(1));
    CHECK(open_at(s, s.book) == "refused consent_withdrawn");
    CHECK(said(s.book.check(consent)) == "refused slot_taken");
  }
  SECTION("but an old one does not undo a newer consent") {
    s.book.put(s.maker.successor(consent, s.maker.consent(s.home), {&s.carin, &s.carl}));
    CHECK(said(s.book.check(withdrawal(1))) == "refused superseded");
    CHECK(open_at(s, s.book) == "accepted");
  }
  SECTION("a pause, a revoke and a release too") {
    s.book.put(s.maker.order(s.resume(), {&s.pia}, 4));
    CHECK(said(s.book.check(s.maker.order(s.pause(), {&s.pia}, 9))) == "accepted");
    CHECK(said(s.book.check(s.maker.order(s.pause(), {&s.pia}, 4))) == "accepted");
    CHECK(said(s.book.check(s.maker.order(s.pause(), {&s.pia}, 3))) == "refused superseded");
    CHECK(said(s.book.check(s.maker.order(s.resume(), {&s.pia}, 9))) == "waiting version_gap");
    CHECK(said(s.book.check(s.maker.order(s.revoke(s.olle), {&s.rut}, 9))) == "accepted");
    CHECK(said(s.book.check(s.maker.order(s.release(), {&s.inga, &s.carin}, 9))) == "accepted");
    CHECK(said(s.book.check(s.maker.order(s.release(), {&s.inga, &s.carin}, 1))) == "accepted");
  }
}

TEST_CASE("everything a home needs is in force once it has been put and countersigned", "[orders][ENF-5]") {
  const Scene s;
  const auto schedule = s.book.schedule_in_force(s.home.hub, s.home.resident, s.maker.now);
  REQUIRE(schedule.ok());
  CHECK((*schedule)->windows[0].window.id == "w1");
  CHECK(s.book.hubs_of(s.home.resident) == std::vector<std::string>{s.home.hub});
}

TEST_CASE("with any one order missing the camera stays closed", "[orders][ENF-5]") {
  const Scene s;
  const auto without = [&](std::size_t missing) {
    auto orders = s.standing;
    orders.erase(orders.begin() + static_cast<std::ptrdiff_t>(missing));
    return open_at(s, OrderMaker::book_of({orders}));
  };
  CHECK(open_at(s, OrderBook()) == "refused no_assignment");
  CHECK(without(kAssignment) == "refused no_assignment");
  CHECK(without(kAcceptance) == "refused not_accepted");
  CHECK(without(kConsent) == "refused no_consent");
  CHECK(without(kSchedule) == "refused no_schedule");
}

TEST_CASE("a camera is closed by withdrawal, pause, release and another assignment", "[orders][ENF-5]") {
  Scene s;
  SECTION("pause, until it ends") {
    s.book.put(s.maker.order(s.pause(), {&s.pia}));
    CHECK(open_at(s, s.book) == "refused paused");
    s.maker.now += hours(48);
    CHECK(open_at(s, s.book) == "accepted");
  }
  SECTION("pause, in whatever home it was signed for") {
    auto pause = s.pause();
    pause.home = fakes::random_id("other home");
    s.book.put(s.maker.order(pause, {&s.pia}));
    CHECK(open_at(s, s.book) == "refused paused");
    CHECK(s.book.is_paused(s.home.resident, s.maker.now));
    CHECK_FALSE(s.book.is_paused(s.home.resident, pause.until));
    CHECK_FALSE(s.book.is_paused(fakes::random_id("other"), s.maker.now));
  }
  SECTION("resume") {
    const Order pause = s.maker.order(s.pause(), {&s.pia});
    s.book.put(pause);
    s.book.put(s.maker.successor(pause, s.resume(), {&s.pia}));
    CHECK(open_at(s, s.book) == "accepted");
  }
  SECTION("release") {
    s.book.put(s.maker.order(s.release(), {&s.inga, &s.carin}, 2));
    CHECK(open_at(s, s.book) == "refused no_assignment");
    CHECK(s.book.assignment_of(s.home.hub) == nullptr);
    CHECK(s.book.hubs_of(s.home.resident).empty());
    CHECK(s.book.homes().empty());
  }
  SECTION("a new assignment needs a new acceptance") {
    auto assignment = OrderMaker::assignment(s.home);
    assignment.cameras.push_back({"hall", "WXY234"});
    const Order second = s.maker.successor(s.standing[kAssignment], assignment, {&s.inga});
    REQUIRE(said(s.book.check(second)) == "accepted");
    s.book.put(second);
    CHECK(open_at(s, s.book) == "accepted");  // nobody has held the button yet
    s.book.countersigned(second.hash);
    CHECK(open_at(s, s.book) == "refused not_accepted");
    s.book.put(s.maker.successor(s.standing[kAcceptance], OrderMaker::acceptance(s.home, second.hash), {&s.inga}));
    CHECK(open_at(s, s.book) == "accepted");
  }
  SECTION("another resident") {
    CHECK(said(s.book.schedule_in_force(s.home.hub, fakes::random_id("other"), s.maker.now)) ==
          "refused wrong_resident");
    CHECK(said(s.book.schedule_in_force("other hub", s.home.resident, s.maker.now)) == "refused no_assignment");
  }
}

TEST_CASE("decision and consent count on their dates, by the wall clock at home", "[orders][ENF-5]") {
  Scene s;
  auto consent = s.maker.consent(s.home);
  const auto open_on = [&](const char* when) {
    s.maker.now = at(when);
    OrderBook book = OrderMaker::book_of({s.standing});
    book.put(s.maker.successor(s.standing[kConsent], consent, {&s.carin, &s.carl}));
    return open_at(s, book);
  };
  SECTION("consent") {
    consent.terms->consent = {*civil::parse_date("2026-11-22"), civil::parse_date("2026-11-23").value()};
  }
  SECTION("decision") {
    consent.terms->decision = {*civil::parse_date("2026-11-22"), civil::parse_date("2026-11-23").value()};
  }
  CHECK(open_on("2026-11-21T22:59:59Z") == "refused consent_expired");
  CHECK(open_on("2026-11-21T23:00:00Z") == "accepted");
  CHECK(open_on("2026-11-23T22:59:59Z") == "accepted");
  CHECK(open_on("2026-11-23T23:00:00Z") == "refused consent_expired");
}

TEST_CASE("an order for another home or group lapses there and opens nothing", "[orders][ENF-5]") {
  Scene s;
  const auto opened_with = [&](std::size_t which, Body body, std::vector<const Staff*> signers) {
    OrderBook book = OrderMaker::book_of({s.standing});
    book.put(s.maker.successor(s.standing[which], std::move(body), signers));
    return open_at(s, book);
  };
  Home elsewhere = s.home;
  elsewhere.home = fakes::random_id("other home");
  CHECK(opened_with(kConsent, s.maker.consent(elsewhere), {&s.carin, &s.carl}) == "refused wrong_home");
  CHECK(opened_with(kSchedule, OrderMaker::schedule(elsewhere), {&s.pia, &s.per}) == "refused wrong_home");
  Home regrouped = s.home;
  regrouped.group = "south";
  CHECK(opened_with(kConsent, s.maker.consent(regrouped), {&s.carin, &s.carl}) == "refused group_not_in_scope");
  CHECK(opened_with(kSchedule, OrderMaker::schedule(regrouped), {&s.pia, &s.per}) == "refused group_not_in_scope");
}

TEST_CASE("a schedule that a narrower consent no longer covers opens nothing", "[orders][ENF-5]") {
  Scene s;
  auto consent = s.maker.consent(s.home);
  consent.terms->max_minutes_per_day = 10;
  const Order narrowed = s.maker.successor(s.standing[kConsent], consent, {&s.carin, &s.carl});
  s.book.put(narrowed);
  CHECK(open_at(s, s.book) == "refused beyond_consent");
  s.book.put(s.maker.successor(narrowed, s.maker.consent(s.home), {&s.carin, &s.carl}));
  CHECK(open_at(s, s.book) == "accepted");
}

TEST_CASE("an assignment is signed by another than the technician, on a known hub", "[orders][IAM-5]") {
  Scene s;
  const auto checked = [&](const OrderBook& book, const Home& home, const Staff& installer, std::int64_t version = 1,
                           std::optional<Hash> replaces = std::nullopt) {
    return said(book.check(s.maker.order(OrderMaker::assignment(home), {&installer}, version, replaces)));
  };
  OrderBook fresh = OrderMaker::book_of({{s.standing[kDevice]}});
  CHECK(checked(OrderBook(), s.home, s.inga) == "waiting no_device");
  CHECK(checked(fresh, s.home, s.inga) == "accepted");
  const Staff tore = s.maker.login("tore", Role::kInstaller);
  CHECK(checked(fresh, s.home, tore) == "refused not_two_people");
  const Staff tore_elsewhere = s.maker.login("tore", Role::kInstaller, 1);
  CHECK(checked(fresh, s.home, tore_elsewhere) == "refused not_two_people");

  Home other = s.home;
  other.resident = fakes::random_id("other resident");
  CHECK(checked(s.book, other, s.inga, 2, s.standing[kAssignment].hash) == "refused wrong_resident");
  Home moved = s.home;
  moved.home = fakes::random_id("other home");
  CHECK(checked(s.book, moved, s.inga, 2, s.standing[kAssignment].hash) == "refused wrong_home");
  Home regrouped = s.home;
  regrouped.group = "south";
  CHECK(checked(s.book, regrouped, s.inga, 2, s.standing[kAssignment].hash) == "refused group_not_in_scope");

  const Order release = s.maker.order(s.release(), {&s.inga, &s.carin}, 2);
  s.book.put(release);
  CHECK(checked(s.book, other, s.inga, 3, release.hash) == "accepted");
  CHECK(checked(s.book, moved, s.inga, 3, release.hash) == "accepted");
  CHECK(checked(s.book, s.home, s.inga, 1) == "refused superseded");  // the old one again
}

TEST_CASE("a second hub serves the resident in the same home and group", "[orders]") {
  Scene s;
  const auto second_key = fakes::p256_key("second device");
  s.book.put(s.maker.order(OrderMaker::device(second_key.public_key()), {&s.tore}));
  Home second = s.home;
  second.hub = second_key.public_key().thumbprint_text();
  const auto checked = [&] { return said(s.book.check(s.maker.order(OrderMaker::assignment(second), {&s.inga}))); };
  CHECK(checked() == "accepted");
  second.home = fakes::random_id("other home");
  CHECK(checked() == "refused wrong_home");
  second.home = s.home.home;
  second.group = "south";
  CHECK(checked() == "refused group_not_in_scope");
}

TEST_CASE("consent, schedule and pause follow the resident to another hub in the home, and lapse in another home",
          "[orders][INS-5][INS-7]") {
  Scene s;
  s.book.put(s.maker.order(s.release(), {&s.inga, &s.carin}, 2));
  const auto key = fakes::p256_key("second device");
  s.book.put(s.maker.order(OrderMaker::device(key.public_key()), {&s.tore}));
  Home second = s.home;
  second.hub = key.public_key().thumbprint_text();
  const auto opened = [&] { return said(s.book.schedule_in_force(second.hub, second.resident, s.maker.now)); };
  const auto move_in = [&] {
    const Order assignment = s.maker.order(OrderMaker::assignment(second), {&s.inga});
    REQUIRE(said(s.book.check(assignment)) == "accepted");
    s.book.put(assignment);
    s.book.countersigned(assignment.hash);
    CHECK(opened() == "refused not_accepted");  // the old hub's test says nothing of this one
    s.book.put(s.maker.order(OrderMaker::acceptance(second, assignment.hash), {&s.inga}));
  };
  SECTION("the same home") {
    move_in();
    CHECK(opened() == "accepted");
    CHECK(open_at(s, s.book) == "refused no_assignment");  // and no more by the old one
    s.book.put(s.maker.order(s.pause(), {&s.pia}));
    CHECK(opened() == "refused paused");
  }
  SECTION("another home") {
    second.home = fakes::random_id("other home");
    move_in();
    CHECK(opened() == "refused wrong_home");
    auto consent = s.maker.consent(second);
    const Order renewed = s.maker.successor(s.standing[kConsent], consent, {&s.carin, &s.carl});
    REQUIRE(said(s.book.check(renewed)) == "accepted");
    s.book.put(renewed);
    CHECK(opened() == "refused wrong_home");  // by the schedule, which was for the old one
    const Order moved = s.maker.successor(s.standing[kSchedule], OrderMaker::schedule(second), {&s.pia, &s.per});
    REQUIRE(said(s.book.check(moved)) == "accepted");
    s.book.put(moved);
    CHECK(opened() == "accepted");
  }
}

TEST_CASE("an assignment stands nowhere until the hub's button was held for it", "[orders]") {
  Scene s;
  OrderBook book = OrderMaker::book_of({{s.standing[kDevice]}});
  const Order& assignment = s.standing[kAssignment];
  const Order& acceptance = s.standing[kAcceptance];
  const Hash empty_head = book.head(s.home.hub, s.home.resident);
  book.put(assignment);
  CHECK_FALSE(book.is_countersigned(assignment.hash));
  CHECK(book.assignment_of(s.home.hub) == nullptr);
  CHECK(book.head(s.home.hub, s.home.resident) == empty_head);
  CHECK(book.homes().empty());
  CHECK(book.all().size() == 2);
  CHECK(said(book.check(assignment)) == "accepted");
  CHECK(said(book.check(acceptance)) == "waiting not_countersigned");
  CHECK(said(OrderBook().check(acceptance)) == "waiting no_assignment");

  SECTION("the button makes it count") {
    book.countersigned(assignment.hash);
    CHECK(book.is_countersigned(assignment.hash));
    CHECK(book.head(s.home.hub, s.home.resident) != empty_head);
    CHECK(said(book.check(acceptance)) == "accepted");
    CHECK(book.all().size() == 2);
  }
  SECTION("of two signed for one place, the one at the button counts") {
    auto corrected = OrderMaker::assignment(s.home);
    corrected.code = "XYX4";
    const Order other = s.maker.order(corrected, {&s.inga});
    CHECK(said(book.check(other)) == "accepted");
    book.put(other);
    book.countersigned(other.hash);
    CHECK(book.assignment_of(s.home.hub)->code == "XYX4");
    book.countersigned(assignment.hash);
    CHECK(book.assignment_of(s.home.hub)->code == "XYX4");
    CHECK(said(book.check(assignment)) == "refused slot_taken");
  }
  SECTION("a release takes what waits with it") {
    book.put(s.maker.order(s.release(), {&s.inga, &s.carin}, 1));
    book.countersigned(assignment.hash);
    CHECK(book.assignment_of(s.home.hub) == nullptr);
  }
  SECTION("one who signs again and again pushes out his own oldest only") {
    for (std::int64_t version = 2; version < 10; ++version) {
      book.put(s.maker.order(OrderMaker::assignment(s.home), {&s.inga}, version));
    }
    CHECK(book.all().size() == 1 + 8);
    book.countersigned(assignment.hash);
    CHECK(book.assignment_of(s.home.hub) == nullptr);
  }
  SECTION("read again from a store, what lost its place does not come back") {
    auto corrected = OrderMaker::assignment(s.home);
    corrected.code = "XYX4";
    const Order other = s.maker.order(corrected, {&s.inga});
    book.countersigned(assignment.hash);
    book.put(other);
    CHECK(book.all().size() == 2);
    CHECK(said(book.check(other)) == "refused slot_taken");
    book.countersigned(other.hash);
    CHECK(book.is_countersigned(assignment.hash));
  }
  SECTION("another hash means nothing") {
    book.countersigned(fakes::bytes32("other"));
    CHECK(book.assignment_of(s.home.hub) == nullptr);
  }
}

TEST_CASE("an acceptance is for just this assignment", "[orders][ENF-5]") {
  Scene s;
  const auto checked = [&](const Home& home, const Hash& assignment) {
    return said(
        s.book.check(s.maker.successor(s.standing[kAcceptance], OrderMaker::acceptance(home, assignment), {&s.inga})));
  };
  const Hash& assigned = s.standing[kAssignment].hash;
  CHECK(checked(s.home, assigned) == "accepted");
  CHECK(checked(s.home, fakes::bytes32("other")) == "waiting no_assignment");
  Home wrong = s.home;
  wrong.resident = fakes::random_id("other");
  CHECK(checked(wrong, assigned) == "refused wrong_resident");
  wrong = s.home;
  wrong.home = fakes::random_id("other");
  CHECK(checked(wrong, assigned) == "refused wrong_home");
  wrong = s.home;
  wrong.group = "south";
  CHECK(checked(wrong, assigned) == "refused group_not_in_scope");
}

TEST_CASE("a release names the resident that the hub serves", "[orders]") {
  Scene s;
  auto release = s.release();
  const auto checked = [&] { return said(s.book.check(s.maker.order(release, {&s.inga, &s.carin}, 2))); };
  release.home = fakes::random_id("other home");
  CHECK(checked() == "accepted");  // it only closes
  release.group = "south";
  CHECK(checked() == "refused group_not_in_scope");
  release.resident = fakes::random_id("other");
  CHECK(checked() == "refused wrong_resident");
}

TEST_CASE("consent, schedule and pause are for the home and group of the assignment", "[orders]") {
  Scene s;
  const auto checked = [&](std::size_t which, Body body, std::vector<const Staff*> signers) {
    return said(s.book.check(s.maker.successor(s.standing[which], std::move(body), signers)));
  };
  Home elsewhere = s.home;
  elsewhere.home = fakes::random_id("other home");
  Home regrouped = s.home;
  regrouped.group = "south";
  CHECK(checked(kConsent, s.maker.consent(elsewhere), {&s.carin, &s.carl}) == "refused wrong_home");
  CHECK(checked(kConsent, s.maker.consent(regrouped), {&s.carin, &s.carl}) == "refused group_not_in_scope");
  CHECK(checked(kSchedule, OrderMaker::schedule(elsewhere), {&s.pia, &s.per}) == "refused wrong_home");
  CHECK(checked(kSchedule, OrderMaker::schedule(regrouped), {&s.pia, &s.per}) == "refused group_not_in_scope");

  auto withdrawal = s.withdrawal();
  withdrawal.home = elsewhere.home;
  CHECK(checked(kConsent, withdrawal, {&s.carin}) == "accepted");  // it only closes
  withdrawal.group = "south";
  CHECK(checked(kConsent, withdrawal, {&s.carin}) == "refused group_not_in_scope");

  auto pause = s.pause();
  pause.home = elsewhere.home;
  CHECK(said(s.book.check(s.maker.order(pause, {&s.pia}))) == "accepted");
  pause.group = "south";
  CHECK(said(s.book.check(s.maker.order(pause, {&s.pia}))) == "refused group_not_in_scope");
  auto resume = s.resume();
  resume.home = elsewhere.home;
  CHECK(said(s.book.check(s.maker.order(resume, {&s.pia}))) == "refused wrong_home");
  resume.group = "south";
  CHECK(said(s.book.check(s.maker.order(resume, {&s.pia}))) == "refused group_not_in_scope");
}

TEST_CASE("a schedule needs a consent that stands and covers it", "[orders][ENF-5]") {
  Scene s;
  const Order& schedule = s.standing[kSchedule];
  CHECK(said(OrderBook().check(schedule)) == "waiting no_consent");
  CHECK(said(OrderMaker::book_of({{s.standing[kConsent]}}).check(schedule)) == "accepted");
  CHECK(said(OrderMaker::book_of({{s.maker.order(s.withdrawal(), {&s.carin})}}).check(schedule)) ==
        "refused consent_withdrawn");
  auto wide = OrderMaker::schedule(s.home);
  wide.schedule.windows[0].window.length = std::chrono::minutes(61);
  CHECK(said(s.book.check(s.maker.successor(schedule, wide, {&s.pia, &s.per}))) == "refused beyond_consent");
  Home elsewhere = s.home;
  elsewhere.home = fakes::random_id("other home");
  CHECK(said(OrderMaker::book_of({{s.standing[kConsent]}})
                 .check(s.maker.order(OrderMaker::schedule(elsewhere), {&s.pia, &s.per}))) == "refused wrong_home");
}

TEST_CASE("a schedule does not follow a consent that has lapsed", "[orders][ENF-5]") {
  const Scene s;
  const auto checked_beside = [&](const Home& agreed) {
    const Order consent = s.maker.order(s.maker.consent(agreed), {&s.carin, &s.carl});
    const OrderBook book = OrderMaker::book_of({{s.standing[kDevice], consent, s.standing[kAssignment]}});
    return said(book.check(s.standing[kSchedule]));
  };
  CHECK(checked_beside(s.home) == "accepted");
  Home before = s.home;
  before.home = fakes::random_id("other home");
  CHECK(checked_beside(before) == "refused wrong_home");
  before = s.home;
  before.group = "south";
  CHECK(checked_beside(before) == "refused group_not_in_scope");
}

TEST_CASE("a view names a resident, a group and a camera of the hub's assignment", "[orders]") {
  const Scene s;
  auto view = s.view();
  const auto checked = [&] { return said(s.book.check(s.maker.order(view, {&s.olle}))); };
  CHECK(checked() == "accepted");
  CHECK(said(OrderBook().check(s.maker.order(view, {&s.olle}))) == "waiting no_assignment");
  view.group = "south";
  CHECK(checked() == "refused group_not_in_scope");
  view.camera = "hall";
  CHECK(checked() == "refused wrong_camera");
  view.resident = fakes::random_id("other");
  CHECK(checked() == "refused wrong_resident");
  view.hub = fakes::p256_key("other").public_key().thumbprint_text();
  CHECK(checked() == "waiting no_assignment");
}

TEST_CASE("an outcome names the resident's group, with or without a hub", "[orders]") {
  const Scene s;
  auto outcome = s.outcome(OutcomeKind::kUnable);
  const auto checked = [&](const OrderBook& book) { return said(book.check(s.maker.order(outcome, {&s.olle}))); };
  const OrderBook without_hub = OrderMaker::book_of({{s.standing[kConsent]}});
  CHECK(checked(s.book) == "accepted");
  CHECK(checked(without_hub) == "accepted");
  CHECK(checked(OrderBook()) == "waiting no_consent");
  outcome.group = "south";
  CHECK(checked(s.book) == "refused group_not_in_scope");
  CHECK(checked(without_hub) == "refused group_not_in_scope");
}

TEST_CASE("the head covers what stands in the home's slots, in the order of their names", "[orders]") {
  Scene s;
  const auto slots = s.book.slots(s.home.hub, s.home.resident);
  REQUIRE(slots.size() == 5);
  const char* names[] = {"acceptance", "assignment", "consent", "device", "schedule"};
  const std::size_t orders[] = {kAcceptance, kAssignment, kConsent, kDevice, kSchedule};
  Bytes expected;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    CHECK(slots[i] == SlotEntry{names[i], 1, s.standing[orders[i]].hash});
    append(expected, view_of(names[i]));
    expected.push_back(0);
    append_u64(expected, 1);
    append(expected, s.standing[orders[i]].hash);
  }
  const Hash head = s.book.head(s.home.hub, s.home.resident);
  CHECK(head == crypto::sha256(expected));
  CHECK(head_of({}) == crypto::sha256({}));

  SECTION("grants and acts are not in it") {
    s.book.put(s.maker.grant("nina", Role::kOperator));
    s.book.put(s.maker.order(s.view(), {&s.olle}));
    s.book.put(s.maker.order(s.outcome(OutcomeKind::kUnable), {&s.olle}));
    CHECK(s.book.head(s.home.hub, s.home.resident) == head);
  }
  SECTION("every change of a slot changes it") {
    s.book.put(s.maker.order(s.pause(), {&s.pia}));
    const Hash paused = s.book.head(s.home.hub, s.home.resident);
    CHECK(paused != head);
    s.book.put(s.maker.successor(s.standing[kSchedule], schedule_named(s, "w2"), {&s.pia, &s.per}));
    CHECK(s.book.head(s.home.hub, s.home.resident) != paused);
  }
  SECTION("another home's orders do not") {
    Home other = s.home;
    other.resident = fakes::random_id("other");
    s.book.put(s.maker.order(s.maker.consent(other), {&s.carin, &s.carl}));
    CHECK(s.book.head(s.home.hub, s.home.resident) == head);
  }
}

TEST_CASE("a book filled again from its own orders is the same", "[orders]") {
  const Scene s;
  OrderBook again;
  for (const Order* order : s.book.all()) {
    again.put(*parse_order(order->text));
    again.countersigned(order->hash);
  }
  CHECK(again.head(s.home.hub, s.home.resident) == s.book.head(s.home.hub, s.home.resident));
  CHECK(again.all().size() == s.book.all().size());
  CHECK(open_at(s, again) == "accepted");
  CHECK(again.rights_of(s.olle.person).rights.size() == 1);
}

TEST_CASE("the book judges by its own grants", "[orders][IAM-5]") {
  Scene s;
  const auto judged = [&](const OrderBook& book, const Order& order) {
    return said(book.judge_and_check(order, OrderMaker::kProvider, s.maker.root_list, s.maker.bundle, s.maker.now));
  };
  const Order view = s.maker.order(s.view(), {&s.olle});
  CHECK(judged(s.book, view) == "accepted");
  CHECK(judged(OrderMaker::book_of({s.standing}), view) == "waiting no_grant");
  CHECK(judged(s.staff_book, view) == "waiting no_assignment");
  // A whole night from nothing, in the order in which things are signed.
  OrderBook book;
  for (const auto& list : {s.grants, s.standing}) {
    for (const Order& order : list) {
      CAPTURE(type_name(order.payload.body));
      REQUIRE(judged(book, order) == "accepted");
      book.put(order);
      book.countersigned(order.hash);
    }
  }
  CHECK(open_at(s, book) == "accepted");
}

TEST_CASE("what an order stands on is named, so that it can be handed over with it", "[orders]") {
  const Scene s;
  const auto names = [](const Order& order) {
    std::vector<std::string> out;
    for (const Slot& slot : dependencies(order)) out.push_back(slot.name + " " + slot.owner);
    return out;
  };
  const auto person = [](const Staff& staff) { return person_slot(staff.person) + " "; };
  using List = std::vector<std::string>;
  CHECK(names(s.standing[kDevice]) == List{person(s.tore)});
  CHECK(names(s.standing[kAssignment]) == List{person(s.inga), "device " + s.home.hub});
  CHECK(names(s.standing[kAcceptance]) == List{person(s.inga), "assignment " + s.home.hub});
  CHECK(names(s.standing[kConsent]) == List{person(s.carin), person(s.carl)});
  CHECK(names(s.standing[kSchedule]) == List{person(s.pia), person(s.per), "consent " + s.home.resident});
  CHECK(names(s.grants[0]) == List{person(s.mia), person(s.rut)});
  CHECK(dependencies(s.maker.order(s.view(), {&s.olle})).size() == 7);
  // A grant to oneself does not stand on itself.
  CHECK(names(s.maker.order(s.maker.grant_of(s.mia.person, Role::kPlanner), {&s.mia, &s.rut})) == List{person(s.rut)});
}
