#include <catch2/catch.hpp>

#include "tests/unit/orders/scene.h"

using namespace tillsyn;
using namespace tillsyn::test;
using std::chrono::minutes;

namespace {

constexpr std::uint8_t kEveryDay = 0x7f;
constexpr std::uint8_t kMonday = 1;

minutes clock(int hour, int minute) { return minutes(60 * hour + minute); }

// A consent for 21:00-07:00, three supervisions, 60 minutes.
struct Terms {
  Scene scene;
  ConsentTerms terms = *scene.maker.consent(scene.home).terms;
  civil::Schedule schedule = OrderMaker::schedule(scene.home).schedule;

  std::string checked() const { return said(check_within(terms, schedule)); }
  std::string with_window(minutes start, int length) {
    schedule.windows = {{{"w1", start, minutes(length)}, kEveryDay}};
    return checked();
  }
};

}  // namespace

TEST_CASE("a window starts and ends within the permitted hours", "[orders][ENF-5]") {
  Terms t;
  CHECK(t.with_window(clock(21, 0), 15) == "accepted");
  CHECK(t.with_window(clock(20, 59), 15) == "refused beyond_consent");
  CHECK(t.with_window(clock(6, 45), 15) == "accepted");
  CHECK(t.with_window(clock(6, 46), 15) == "refused beyond_consent");
  CHECK(t.with_window(clock(7, 0), 1) == "refused beyond_consent");
  CHECK(t.with_window(clock(23, 50), 20) == "accepted");  // across midnight
  CHECK(t.with_window(clock(12, 0), 15) == "refused beyond_consent");
  t.terms.max_minutes_per_day = 720;
  CHECK(t.with_window(clock(21, 0), 600) == "accepted");
  CHECK(t.with_window(clock(21, 0), 601) == "refused beyond_consent");
  CHECK(t.with_window(clock(20, 0), 720) == "refused beyond_consent");  // around them
}

TEST_CASE("all day permits every hour", "[orders]") {
  Terms t;
  t.terms.permitted = {clock(21, 0), minutes(1440)};
  CHECK(t.with_window(clock(20, 50), 20) == "accepted");
  t.terms.permitted = {clock(21, 0), minutes(1439)};
  CHECK(t.with_window(clock(20, 50), 20) == "refused beyond_consent");
}

TEST_CASE("no date has more windows or minutes than was consented to", "[orders][ENF-5]") {
  Terms t;
  t.schedule.windows = {{{"w1", clock(22, 0), minutes(20)}, kEveryDay},
                        {{"w2", clock(1, 0), minutes(20)}, kEveryDay},
                        {{"w3", clock(4, 0), minutes(20)}, kEveryDay}};
  CHECK(t.checked() == "accepted");
  t.schedule.windows[2].window.length = minutes(21);
  CHECK(t.checked() == "refused beyond_consent");
  t.schedule.windows[2].window.length = minutes(10);
  t.schedule.windows.push_back({{"w4", clock(5, 0), minutes(1)}, kMonday});
  CHECK(t.checked() == "refused beyond_consent");
  t.terms.supervisions_per_day = 4;
  CHECK(t.checked() == "accepted");
}

TEST_CASE("one weekday beyond the consent is enough", "[orders]") {
  Terms t;
  t.schedule.windows.push_back({{"late", clock(8, 0), minutes(5)}, 1 << 6});
  CHECK(t.checked() == "refused beyond_consent");
}

TEST_CASE("an exceptional date is counted by its own windows", "[orders][ENF-5]") {
  Terms t;
  const auto eve = *civil::parse_date("2026-12-24");
  t.schedule.exceptions = {{eve, {}}};
  CHECK(t.checked() == "accepted");
  t.schedule.exceptions = {{eve, {{"x1", clock(22, 0), minutes(60)}}}};
  CHECK(t.checked() == "accepted");
  t.schedule.exceptions = {{eve, {{"x1", clock(22, 0), minutes(60)}, {"x2", clock(3, 0), minutes(1)}}}};
  CHECK(t.checked() == "refused beyond_consent");
  t.schedule.exceptions = {{eve, {{"x1", clock(12, 0), minutes(5)}}}};
  CHECK(t.checked() == "refused beyond_consent");
}

TEST_CASE("a schedule in another time zone than the consent's goes beyond it", "[orders]") {
  Terms t;
  t.schedule.timezone = "America/New_York";
  CHECK(t.checked() == "refused beyond_consent");
}
