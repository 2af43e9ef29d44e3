#include "common/civil/schedule.h"

#include <algorithm>
#include <array>

namespace tillsyn::civil {
namespace {

constexpr std::array<std::string_view, 7> kDayNames = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;

bool is_window_id(const std::string& id) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !id.empty() && id.size() <= 32 && std::all_of(id.begin(), id.end(), is_allowed);
}

std::string read_window_id(JsonReader& in) {
  std::string id = in.text("id", 32);
  if (!is_window_id(id)) in.fail("id", "is not 1-32 letters, digits, - or _");
  return id;
}

std::chrono::minutes read_time_of_day(JsonReader& in) {
  const std::string text = in.text("start", 5);
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
  if (text.size() == 5 && text[2] == ':') {
    const int hour = digit(0) * 10 + digit(1);
    const int minute = digit(3) * 10 + digit(4);
    if (hour < 24 && minute < 60) return std::chrono::hours(hour) + std::chrono::minutes(minute);
  }
  in.fail("start", "is not a time 00:00-23:59");
  return {};
}

DayWindow read_window_body(JsonReader& in) {
  DayWindow window;
  window.id = read_window_id(in);
  window.start = read_time_of_day(in);
  window.length = std::chrono::minutes(in.integer("minutes", 1, kMaxWindowLength.count()));
  return window;
}

std::uint8_t read_days(JsonReader& in) {
  unsigned days = 0;
  for (const Json& item : in.array("days", kDayNames.size())) {
    const auto found = std::find(kDayNames.begin(), kDayNames.end(), item.is_string() ? item.get<std::string>() : "");
    const unsigned bit = found == kDayNames.end() ? 0u : 1u << (found - kDayNames.begin());
    if (bit == 0) in.fail("days", "holds something other than mon-sun");
    if ((days & bit) != 0) in.fail("days", "names a day twice");
    days |= bit;
  }
  if (days == 0) in.fail("days", "names no day");
  return static_cast<std::uint8_t>(days);
}

Result<WeekWindow> read_week_window(const Json& value) {
  JsonReader in(value, "windows[]");
  WeekWindow out{read_window_body(in), read_days(in)};
  TILLSYN_CHECK(in.finish());
  return out;
}

Result<DayWindow> read_day_window(const Json& value) {
  JsonReader in(value, "exceptions[].windows[]");
  DayWindow out = read_window_body(in);
  TILLSYN_CHECK(in.finish());
  return out;
}

// Reads each item of an array with `read`; the first fault of any of them is the result.
template <typename T>
Result<std::vector<T>> read_each(const Json& array, Result<T> (*read)(const Json&)) {
  std::vector<T> out;
  for (const Json& item : array) {
    TILLSYN_TRY(value, read(item));
    out.push_back(std::move(value));
  }
  return out;
}

Result<Exception> read_exception(const Json& value) {
  JsonReader in(value, "exceptions[]");
  const auto date = parse_date(in.text("date", 10));
  if (!date) in.fail("date", "is not a date of the form 2026-12-24");
  const Json& items = in.array("windows", kMaxWindows);
  TILLSYN_CHECK(in.finish());
  TILLSYN_TRY(windows, read_each(items, read_day_window));
  for (std::size_t i = 0; i < windows.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (windows[i].id == windows[k].id) return malformed("member", "exceptions[].windows has an id twice");
    }
  }
  return Exception{*date, std::move(windows)};
}

Result<std::vector<WeekWindow>> read_windows(const Json& items) {
  TILLSYN_TRY(windows, read_each(items, read_week_window));
  for (std::size_t i = 0; i < windows.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const bool share_a_day = (windows[i].days & windows[k].days) != 0;
      if (share_a_day && windows[i].window.id == windows[k].window.id) {
        return malformed("member", "windows has an id twice on one day");
      }
    }
  }
  return std::move(windows);
}

Result<std::vector<Exception>> read_exceptions(const Json& items) {
  TILLSYN_TRY(exceptions, read_each(items, read_exception));
  const auto by_date = [](const Exception& a, const Exception& b) { return a.date < b.date; };
  std::sort(exceptions.begin(), exceptions.end(), by_date);
  const auto twice = std::adjacent_find(exceptions.begin(), exceptions.end(),
                                        [](const Exception& a, const Exception& b) { return a.date == b.date; });
  if (twice != exceptions.end()) return malformed("member", "exceptions has a date twice");
  return std::move(exceptions);
}

std::optional<LocalDate> read_limit(JsonReader& in, const char* name) {
  const auto text = in.optional_text(name, 10);
  if (!text) return std::nullopt;
  const auto date = parse_date(*text);
  if (date) return *date;
  in.fail(name, "is not a date of the form 2026-12-24, or null");
  return std::nullopt;
}

}  // namespace

Result<Schedule> parse_schedule_body(JsonReader& in) {
  Schedule out;
  out.timezone = in.text("timezone", 64);
  out.valid_from = read_limit(in, "valid_from");
  out.valid_to = read_limit(in, "valid_to");
  if (out.valid_from && out.valid_to && *out.valid_from > *out.valid_to) in.fail("valid_to", "is before valid_from");
  const Json& window_items = in.array("windows", kMaxWindows);
  const Json& exception_items = in.array("exceptions", kMaxExceptions);
  if (!in.ok()) return in.finish().error();
  TILLSYN_TRY(windows, read_windows(window_items));
  TILLSYN_TRY(exceptions, read_exceptions(exception_items));
  TILLSYN_TRY(zone, Zone::load(out.timezone));
  out.windows = std::move(windows);
  out.exceptions = std::move(exceptions);
  out.zone = std::move(zone);
  return out;
}

Result<Schedule> parse_schedule(const Json& value) {
  JsonReader in(value, "schedule");
  if (in.text("type", 32) != "schedule") in.fail("type", "is not \"schedule\"");
  in.integer("version", 1, kMaxInteger);
  TILLSYN_TRY(schedule, parse_schedule_body(in));
  TILLSYN_CHECK(in.finish());
  return std::move(schedule);
}

}  // namespace tillsyn::civil
