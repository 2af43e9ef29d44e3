#include "common/civil/windows.h"

#include <catch2/catch.hpp>

using namespace tillsyn;
using namespace tillsyn::civil;

namespace {

Instant utc(const char* text) { return *parse_instant(text); }

Json schedule_json(const char* windows, const char* exceptions = "[]") {
  return {{"type", "schedule"},
          {"version", 1},
          {"timezone", "Europe/Stockholm"},
          {"valid_from", nullptr},
          {"valid_to", nullptr},
          {"windows", Json::parse(windows)},
          {"exceptions", Json::parse(exceptions)}};
}

Schedule schedule(const char* windows, const char* exceptions = "[]") {
  return *parse_schedule(schedule_json(windows, exceptions));
}

constexpr const char* kEveryDay = R"(["mon","tue","wed","thu","fri","sat","sun"])";

Schedule every_day(const char* start, int minutes) {
  const Json window = {{"id", "w1"}, {"days", Json::parse(kEveryDay)}, {"start", start}, {"minutes", minutes}};
  return schedule(Json::array({window}).dump().c_str());
}

std::string text(std::optional<Instant> instant) { return instant ? format_instant(*instant) : "never"; }

}  // namespace

TEST_CASE("a window is open from its start, and closed at its end", "[civil][ENF-3]") {
  const Schedule s = schedule(R"([{"id":"w1","days":["mon"],"start":"22:30","minutes":15}])");
  CHECK_FALSE(is_open(s, utc("2026-11-23T21:29:59Z")));
  CHECK(is_open(s, utc("2026-11-23T21:30:00Z")));
  CHECK(is_open(s, utc("2026-11-23T21:45:00Z") - std::chrono::milliseconds(1)));
  CHECK_FALSE(is_open(s, utc("2026-11-23T21:45:00Z")));
  CHECK_FALSE(is_open(s, utc("2026-11-24T21:30:00Z")));
  CHECK(text(next_change(s, utc("2026-11-23T21:45:00Z"))) == "2026-11-30T21:30:00Z");
}

TEST_CASE("a window in the hour that does not exist starts an hour later on the wall", "[civil][ENF-3]") {
  const Schedule s = every_day("02:15", 15);
  CHECK(text(next_change(s, utc("2026-03-29T00:59:59Z"))) == "2026-03-29T01:15:00Z");
  CHECK(text(next_change(s, utc("2026-03-29T01:15:00Z"))) == "2026-03-29T01:30:00Z");
}

TEST_CASE("a window in the hour that exists twice opens once, in the first", "[civil][ENF-3]") {
  const Schedule s = every_day("02:15", 15);
  CHECK(is_open(s, utc("2026-10-25T00:15:00Z")));
  CHECK_FALSE(is_open(s, utc("2026-10-25T01:15:00Z")));
  CHECK(text(next_change(s, utc("2026-10-25T00:30:00Z"))) == "2026-10-26T01:15:00Z");
}

TEST_CASE("a change of clocks within a window changes nothing of its length", "[civil][ENF-3]") {
  const Schedule s = every_day("01:30", 120);
  CHECK(text(current_opening_end(s, utc("2026-03-29T00:30:00Z"))) == "2026-03-29T02:30:00Z");
  CHECK(text(current_opening_end(s, utc("2026-10-24T23:30:00Z"))) == "2026-10-25T01:30:00Z");
}

TEST_CASE("a window over midnight belongs to the date it starts on", "[civil][ENF-3]") {
  Json value = schedule_json(R"([{"id":"w1","days":["sat"],"start":"23:30","minutes":60}])",
                             R"([{"date":"2026-06-14","windows":[]}])");
  value["valid_to"] = "2026-06-13";
  const Schedule s = *parse_schedule(value);
  const auto found = occurrences(s, utc("2026-06-13T22:10:00Z"), utc("2026-06-13T22:11:00Z"));
  REQUIRE(found.size() == 1);
  CHECK(format_date(found[0].date) == "2026-06-13");
  CHECK(format_instant(found[0].start) == "2026-06-13T21:30:00Z");
  CHECK(format_instant(found[0].end) == "2026-06-13T22:30:00Z");
  CHECK(is_open(s, utc("2026-06-13T22:29:59Z")));
  CHECK_FALSE(next_change(s, utc("2026-06-13T22:30:00Z")));
}

TEST_CASE("an exception takes the place of a date's windows", "[civil][ENF-3]") {
  const Schedule s = schedule(R"([{"id":"w1","days":["thu","fri"],"start":"22:30","minutes":15}])",
                              R"([{"date":"2026-12-25","windows":[{"id":"x1","start":"03:00","minutes":20}]},
                                  {"date":"2026-12-24","windows":[]}])");
  CHECK_FALSE(is_open(s, utc("2026-12-24T21:30:00Z")));
  CHECK(is_open(s, utc("2026-12-25T02:00:00Z")));
  CHECK_FALSE(is_open(s, utc("2026-12-25T21:30:00Z")));
  CHECK(is_open(s, utc("2026-12-31T21:30:00Z")));
}

TEST_CASE("no window belongs to a date outside the schedule's validity", "[civil][ENF-3]") {
  Json value = schedule_json(R"([{"id":"w1","days":["mon","tue","wed"],"start":"12:00","minutes":10}])",
                             R"([{"date":"2026-11-27","windows":[{"id":"x1","start":"12:00","minutes":10}]}])");
  value["valid_from"] = "2026-11-24";
  value["valid_to"] = "2026-11-25";
  const auto found = occurrences(*parse_schedule(value), utc("2026-11-01T00:00:00Z"), utc("2026-12-31T00:00:00Z"));
  REQUIRE(found.size() == 2);
  CHECK(format_date(found[0].date) == "2026-11-24");
  CHECK(format_date(found[1].date) == "2026-11-25");
}

TEST_CASE("overlapping and touching windows are one opening but each its own supervision", "[civil][ENF-3]") {
  const Schedule s = schedule(R"([{"id":"b","days":["wed"],"start":"20:30","minutes":30},
                                  {"id":"a","days":["wed"],"start":"20:00","minutes":30},
                                  {"id":"c","days":["wed"],"start":"20:50","minutes":40},
                                  {"id":"d","days":["wed"],"start":"21:31","minutes":5}])");
  const Instant opening = utc("2026-05-13T18:00:00Z");
  CHECK(text(next_change(s, opening)) == "2026-05-13T19:30:00Z");
  CHECK(text(current_opening_end(s, opening)) == "2026-05-13T19:30:00Z");
  const auto found = occurrences(s, opening, opening + std::chrono::hours(24));
  REQUIRE(found.size() == 4);
  CHECK(found[0].window + found[1].window + found[2].window + found[3].window == "abcd");
}

TEST_CASE("occurrences are those open within a half-open span of time", "[civil][ENF-3]") {
  const Schedule s = every_day("12:00", 60);
  const Instant start = utc("2026-01-15T11:00:00Z");
  const Instant end = utc("2026-01-15T12:00:00Z");
  const auto count = [&](Instant from, Instant to) { return occurrences(s, from, to).size(); };
  const std::chrono::seconds second(1);
  CHECK(count(start - second, start) == 0);
  CHECK(count(start - second, start + second) == 1);
  CHECK(count(end - second, end) == 1);
  CHECK(count(end, end + second) == 0);
  CHECK(count(start, start) == 0);
  CHECK(count(end, start) == 0);
  CHECK(count(start, start + std::chrono::days(7)) == 7);
}

TEST_CASE("a closed schedule has no opening to end", "[civil][ENF-3]") {
  CHECK_FALSE(current_opening_end(every_day("12:00", 60), utc("2026-01-15T12:00:00Z")));
  CHECK_FALSE(current_opening_end(schedule("[]"), utc("2026-01-15T12:00:00Z")));
}

TEST_CASE("windows that touch for ever never change within the horizon", "[civil][ENF-3]") {
  Json value = schedule_json("[]");
  value["timezone"] = "Etc/UTC";
  const Json days = Json::parse(kEveryDay);
  value["windows"] = {{{"id", "a"}, {"days", days}, {"start", "00:00"}, {"minutes", 720}},
                      {{"id", "b"}, {"days", days}, {"start", "12:00"}, {"minutes", 720}}};
  const Schedule s = *parse_schedule(value);
  CHECK(is_open(s, utc("2026-01-15T12:00:00Z")));
  CHECK_FALSE(next_change(s, utc("2026-01-15T12:00:00Z")));
}

TEST_CASE("the horizon of 400 days is inclusive", "[civil][ENF-3]") {
  const Schedule s = schedule("[]", R"([{"date":"2027-03-01","windows":[{"id":"x","start":"12:00","minutes":10}]}])");
  const Instant start = utc("2027-03-01T11:00:00Z");
  CHECK(text(next_change(s, start - kHorizon)) == "2027-03-01T11:00:00Z");
  CHECK_FALSE(next_change(s, start - kHorizon - std::chrono::milliseconds(1)));
}

TEST_CASE("the body of a schedule is read out of a larger object", "[civil]") {
  Json order = schedule_json(R"([{"id":"w1","days":["mon"],"start":"22:30","minutes":15}])");
  order["home"] = "h";
  JsonReader in(order, "order");
  in.text("type", 32);
  in.integer("version", 1, 9);
  CHECK(parse_schedule_body(in).ok());
  CHECK_FALSE(in.finish().ok());
  CHECK_FALSE(parse_schedule(order).ok());
}

TEST_CASE("a fault that the caller has found already is not forgotten", "[civil]") {
  const Json order = schedule_json("[]");
  JsonReader in(order, "order");
  in.integer("type", 1, 9);
  CHECK_FALSE(parse_schedule_body(in).ok());
}

TEST_CASE("a schedule beyond the limits is refused", "[civil]") {
  Json many = Json::array();
  std::chrono::local_days date{std::chrono::year(2026) / 1 / 1};
  for (std::size_t i = 0; i < kMaxExceptions; ++i, date += std::chrono::days(1)) {
    many.push_back({{"date", format_date(date)}, {"windows", Json::array()}});
  }
  CHECK(parse_schedule(schedule_json("[]", many.dump().c_str())).ok());
  many.push_back({{"date", format_date(date)}, {"windows", Json::array()}});
  CHECK_FALSE(parse_schedule(schedule_json("[]", many.dump().c_str())).ok());
}

TEST_CASE("the error says what is wrong, not only that something is", "[civil]") {
  Json value = schedule_json(R"([{"id":"w1","days":["mon"],"start":"22:30","minutes":721}])");
  CHECK(parse_schedule(value).error().message == "windows[].minutes is outside 1-720");
  value = schedule_json("[]");
  value["timezone"] = "Europe/Atlantis";
  CHECK(parse_schedule(value).error().reason == "timezone");
}

TEST_CASE("dates have one spelling", "[civil]") {
  CHECK(format_date(*parse_date("2028-02-29")) == "2028-02-29");
  for (const char* bad : {"2027-02-29", "2026-1-01", "2026-01-1", "2026-01-011", "2026-01-1x", "", "2026_01_01",
                          "1969-12-31", "0000-01-01", "2026-00-01", "2026-04-31", "+026-01-01"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_date(bad).ok());
  }
}
