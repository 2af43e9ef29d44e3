#include "common/base/instant.h"

#include <cstdio>

namespace tillsyn {

std::string format_instant(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(instant - day));
  char out[40];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out;
}

Result<Instant> parse_instant(std::string_view text) {
  const Error error = malformed("time", "time is not of the form 2026-11-22T20:15:00Z");
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != kShape.size()) return error;
  int fields[6] = {};
  int field = 0;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd') {
      if (text[i] < '0' || text[i] > '9') return error;
      fields[field] = fields[field] * 10 + (text[i] - '0');
    } else {
      if (text[i] != kShape[i]) return error;
      ++field;
    }
  }
  using namespace std::chrono;
  const year_month_day date{year(fields[0]), month(static_cast<unsigned>(fields[1])), day(static_cast<unsigned>(fields[2]))};
  if (!date.ok() || fields[0] < 1970 || fields[3] > 23 || fields[4] > 59 || fields[5] > 59) return error;
  return Instant(sys_days(date) + hours(fields[3]) + minutes(fields[4]) + seconds(fields[5]));
}

}  // namespace tillsyn
