#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/civil/date.h"
#include "common/civil/zone.h"

namespace tillsyn::civil {

constexpr std::size_t kMaxWindows = 64;  // in the week, and on one exceptional date
constexpr std::size_t kMaxExceptions = 400;
constexpr std::chrono::minutes kMaxWindowLength{720};

// A supervision time agreed with the resident. It belongs to the local date on which it starts.
struct DayWindow {
  std::string id;                 // [A-Za-z0-9_-]{1,32}, unique within a date
  std::chrono::minutes start{};   // local time since midnight, 00:00-23:59
  std::chrono::minutes length{};  // 1-720, elapsed time
};

// The same on certain days of every week.
struct WeekWindow {
  DayWindow window;
  std::uint8_t days = 0;  // bit 0 Monday … bit 6 Sunday; at least one
};

// One date on which `windows` hold instead of the week's; none cancels the date.
struct Exception {
  LocalDate date;
  std::vector<DayWindow> windows;
};

// When a resident's camera may open, as in the order `schedule`: a pure description, judged by the functions of
// windows.h. Only the parsers make one; `zone` is never null.
struct Schedule {
  std::string timezone;
  std::optional<LocalDate> valid_from;  // both inclusive, about the date a window belongs to
  std::optional<LocalDate> valid_to;
  std::vector<WeekWindow> windows;
  std::vector<Exception> exceptions;  // ascending, one a date
  std::shared_ptr<const Zone> zone;
};

// Reads the members timezone, valid_from, valid_to, windows and exceptions from `in` and leaves all others to the
// caller, who calls in.finish(). Everything is checked: limits, spelling, ids unique within every date, one exception a
// date, valid_from <= valid_to, a time zone that exists. Reasons: "member", "timezone". Threads: thread-safe (see
// Zone::load for what is read from disk).
Result<Schedule> parse_schedule_body(JsonReader& in);

// Reads {"type":"schedule","version":…, and the members above}, nothing else.
Result<Schedule> parse_schedule(const Json& value);

}  // namespace tillsyn::civil
