#include "firmware/gate/guard.h"

#include <random>

#include "common/civil/windows.h"
#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::minutes;

namespace {

const Instant kNow = must(parse_instant("2026-11-22T20:15:00Z"));

// One home whose orders can be changed, and judged at any time.
class Rules {
 public:
  explicit Rules(Instant now) : maker(now) {
    home.hub = fakes::p256_key("device").public_key().thumbprint_text();
    bodies = {fakes::OrderMaker::device(fakes::p256_key("device").public_key()), fakes::OrderMaker::assignment(home),
              orders::Acceptance{}, maker.wide_consent(home), maker.open_schedule(home, 15min)};
  }

  // What holds now; `without` leaves one type out.
  Opening judge(Instant at, board::ClockState state = board::ClockState::kTrusted, const char* without = "") {
    const auto book = make_book(without);
    const Standing standing{home.hub, book, has_root_list ? &maker.root_list : nullptr,
                            has_bundle ? &maker.bundle : nullptr};
    return judge_opening(standing, {at, 1h, state});
  }

  orders::OrderBook make_book(const std::string& without = "") {
    orders::OrderBook book;
    orders::Hash assignment{};
    for (auto body : bodies) {
      if (orders::type_name(body) == without) continue;
      if (auto* acceptance = std::get_if<orders::Acceptance>(&body))
        *acceptance = fakes::OrderMaker::acceptance(home, assignment);
      auto order = unsigned_order(std::move(body));
      const auto hash = order.hash;
      if (std::holds_alternative<orders::Assignment>(order.payload.body)) assignment = hash;
      book.put(std::move(order));
      book.countersigned(hash);
    }
    return book;
  }

  orders::ScheduleOrder& schedule() { return std::get<orders::ScheduleOrder>(bodies[4]); }
  orders::Consent& consent() { return std::get<orders::Consent>(bodies[3]); }

  fakes::OrderMaker maker;
  fakes::Home home;
  std::vector<orders::Body> bodies;
  bool has_root_list = true;
  bool has_bundle = true;

 private:
  // As the book gets it from disk: judged long ago.
  orders::Order unsigned_order(orders::Body body) const {
    orders::Order order;
    order.payload = {{fakes::OrderMaker::kProvider, fakes::random_id("id"), maker.now, {}, orders::Standing{}}, body};
    order.payload_text = orders::format_payload(order.payload);
    order.hash = orders::order_hash(order.payload_text);
    return order;
  }
};

std::string reason(const Opening& opening) { return opening.is_open() ? "open" : opening.reason; }

// ---- the same question answered by looking at every window of every near date ----

std::vector<civil::DayWindow> windows_on(const civil::Schedule& schedule, civil::LocalDate date) {
  for (const auto& exception : schedule.exceptions)
    if (exception.date == date) return exception.windows;
  std::vector<civil::DayWindow> windows;
  const auto weekday = std::chrono::weekday(std::chrono::sys_days(date.time_since_epoch())).iso_encoding() - 1;
  for (const auto& week : schedule.windows)
    if ((week.days >> weekday & 1) != 0) windows.push_back(week.window);
  return windows;
}

bool naive_is_open(const civil::Schedule& schedule, Instant at) {
  const auto today = schedule.zone->date_at(at);
  for (auto date = today - days(2); date <= today + days(1); date += days(1)) {
    if (schedule.valid_from && date < *schedule.valid_from) continue;
    if (schedule.valid_to && date > *schedule.valid_to) continue;
    for (const auto& window : windows_on(schedule, date)) {
      const Instant start = schedule.zone->instant_of(date, window.start);
      if (start <= at && at < start + window.length) return true;
    }
  }
  return false;
}

bool naive_is_open(Rules& rules, Instant at) {
  if (!rules.consent().terms || at >= rules.maker.bundle.expires_at || at >= rules.maker.root_list.expires_at)
    return false;
  const auto& terms = *rules.consent().terms;
  const auto today = terms.zone->date_at(at);
  if (!terms.decision.holds(today) || !terms.consent.holds(today)) return false;
  return naive_is_open(rules.schedule().schedule, at);
}

int pick(std::mt19937& random, int from, int to) { return std::uniform_int_distribution(from, to)(random); }

void randomise(Rules& rules, std::mt19937& random) {
  auto& schedule = rules.schedule().schedule;
  const auto today = schedule.zone->date_at(rules.maker.now);
  const auto windows = [&](int most) {
    std::vector<civil::DayWindow> out;
    for (int i = pick(random, 0, most); i > 0; --i)
      out.push_back({"w" + std::to_string(i), minutes(pick(random, 0, 1439)), minutes(pick(random, 1, 240))});
    return out;
  };
  schedule.windows.clear();
  for (auto& window : windows(3)) {
    window.id = "r" + window.id;
    schedule.windows.push_back({window, static_cast<std::uint8_t>(pick(random, 1, 127))});
  }
  schedule.exceptions.clear();
  for (int i = -1; i < 3; ++i)
    if (pick(random, 0, 3) == 0) schedule.exceptions.push_back({today + days(i), windows(2)});
  schedule.valid_from = pick(random, 0, 1) ? std::optional(today + days(pick(random, -2, 2))) : std::nullopt;
  schedule.valid_to = pick(random, 0, 1) ? std::optional(today + days(pick(random, 2, 4))) : std::nullopt;
  auto& terms = *rules.consent().terms;
  terms.supervisions_per_day = 20;
  terms.max_minutes_per_day = 1440;
  terms.consent = {today + days(pick(random, -3, 1)), today + days(pick(random, 1, 4))};
}

}  // namespace

TEST_CASE("the guard says the same as a naive reading of the rules, at any time of any schedule",
          "[guard][ENF-1][ENF-3][ENF-5]") {
  std::mt19937 random(20261122);
  int open = 0;
  for (int round = 0; round < 300; ++round) {
    // Around both clock changes as often as elsewhere.
    const char* starts[] = {"2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2026-06-01T12:00:00Z"};
    Rules rules(must(parse_instant(starts[round % 3])));
    randomise(rules, random);
    rules.maker.bundle.expires_at = rules.maker.now + minutes(pick(random, 60, 7 * 1440));
    const auto book = rules.make_book();
    const Standing standing{rules.home.hub, book, &rules.maker.root_list, &rules.maker.bundle};
    for (int i = 0; i < 200; ++i) {
      const Instant at = rules.maker.now + std::chrono::milliseconds(pick(random, -86'400'000, 4 * 86'400'000));
      const auto opening = judge_opening(standing, {at, 1h, board::ClockState::kTrusted});
      INFO(format_instant(at) << ' ' << opening.reason);
      REQUIRE(opening.is_open() == naive_is_open(rules, at));
      if (!opening.is_open()) continue;
      ++open;
      REQUIRE(opening.until > at);
      const auto& schedule = rules.schedule().schedule;
      const bool by_trust = opening.until == rules.maker.bundle.expires_at;
      CHECK((by_trust || !naive_is_open(schedule, opening.until)));
      CHECK(naive_is_open(schedule, opening.until - 1ms));
    }
  }
  CHECK(open > 1000);
}

TEST_CASE("a window is open from its first millisecond to its last, and not one more", "[guard][ENF-1][ENF-2]") {
  Rules rules(kNow);
  const Instant end = rules.judge(kNow).until;
  CHECK(end == kNow + 15min);
  CHECK(reason(rules.judge(kNow)) == "open");
  CHECK(reason(rules.judge(kNow - 1ms)) == "outside_window");
  CHECK(reason(rules.judge(end - 1ms)) == "open");
  CHECK(reason(rules.judge(end)) == "outside_window");
  CHECK(rules.judge(end).next == kNow + 24h);
}

TEST_CASE("a clock that is not trusted keeps the camera closed, whatever the reason", "[guard][ENF-4]") {
  using board::ClockState;
  Rules rules(kNow);
  for (const auto state :
       {ClockState::kNeverSynchronised, ClockState::kStepped, ClockState::kCoastedTooLong, ClockState::kBeforeFloor})
    CHECK(reason(rules.judge(kNow, state)) == "clock_untrusted");
}

TEST_CASE("without each thing that is needed the camera stays closed, and says what is missing", "[guard][ENF-5]") {
  Rules rules(kNow);
  SECTION("no assignment") {
    CHECK(reason(rules.judge(kNow, board::ClockState::kTrusted, "assignment")) == "no_assignment");
  }
  SECTION("no acceptance") {
    CHECK(reason(rules.judge(kNow, board::ClockState::kTrusted, "acceptance")) == "not_accepted");
  }
  SECTION("no consent") { CHECK(reason(rules.judge(kNow, board::ClockState::kTrusted, "consent")) == "no_consent"); }
  SECTION("no schedule") { CHECK(reason(rules.judge(kNow, board::ClockState::kTrusted, "schedule")) == "no_schedule"); }
  SECTION("consent withdrawn") {
    rules.consent().terms.reset();
    CHECK(reason(rules.judge(kNow)) == "consent_withdrawn");
  }
  SECTION("consent run out") {
    rules.consent().terms->consent.to = rules.consent().terms->zone->date_at(kNow) - days(1);
    CHECK(reason(rules.judge(kNow)) == "consent_expired");
  }
  SECTION("decision not begun") {
    rules.consent().terms->decision.from = rules.consent().terms->zone->date_at(kNow) + days(1);
    CHECK(reason(rules.judge(kNow)) == "consent_expired");
  }
  SECTION("consent for another home") {
    rules.consent().home = fakes::random_id("elsewhere");
    CHECK(reason(rules.judge(kNow)) == "wrong_home");
  }
  SECTION("schedule beyond the permitted hours") {
    rules.consent().terms->permitted = {0min, 60min};
    CHECK(reason(rules.judge(kNow)) == "beyond_consent");
  }
  SECTION("schedule of more minutes a day than consented to") {
    rules.consent().terms->max_minutes_per_day = 14;
    CHECK(reason(rules.judge(kNow)) == "beyond_consent");
  }
  SECTION("no bundle") {
    rules.has_bundle = false;
    CHECK(reason(rules.judge(kNow)) == "bundle_missing");
  }
  SECTION("no root list") {
    rules.has_root_list = false;
    CHECK(reason(rules.judge(kNow)) == "bundle_missing");
  }
  SECTION("bundle run out, to the millisecond") {
    rules.maker.bundle.expires_at = kNow + 5min;
    CHECK(rules.judge(kNow).until == kNow + 5min);
    CHECK(reason(rules.judge(kNow + 5min - 1ms)) == "open");
    CHECK(reason(rules.judge(kNow + 5min)) == "bundle_expired");
  }
  SECTION("root list run out") {
    rules.maker.root_list.expires_at = kNow;
    CHECK(reason(rules.judge(kNow)) == "root_list_expired");
  }
  SECTION("hub revoked") {
    rules.maker.bundle.revoked_hubs.push_back(rules.home.hub);
    CHECK(reason(rules.judge(kNow)) == "hub_revoked");
  }
}

TEST_CASE("a viewer is an operator of the group still, or does not look", "[guard][SES-6]") {
  Rules rules(kNow);
  auto book = rules.make_book();
  const Standing standing{rules.home.hub, book, &rules.maker.root_list, &rules.maker.bundle};
  const board::ClockReading clock{kNow, 1h, board::ClockState::kTrusted};
  const orders::Person olle{rules.maker.issuers[0].url(), "olle"};
  CHECK(reason(judge_viewer(standing, clock, olle, "north")) == "no_grant");
  book.put(rules.maker.grant("olle", orders::Role::kOperator, {"north"}));
  CHECK(reason(judge_viewer(standing, clock, olle, "north")) == "open");
  CHECK(reason(judge_viewer(standing, clock, olle, "south")) == "group_not_in_scope");
  rules.maker.bundle.revoked_persons.push_back({olle, kNow - 1h});
  CHECK(reason(judge_viewer(standing, clock, olle, "north")) == "person_revoked");
}
