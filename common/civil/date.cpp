#include "common/civil/date.h"

#include <cstdio>

namespace tillsyn::civil {

std::string format_date(LocalDate date) {
  const std::chrono::year_month_day day(date);
  char out[40];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()));
  return out;
}

Result<LocalDate> parse_date(std::string_view text) {
  const Error error = malformed("date", "date is not of the form 2026-12-24");
  if (text.size() != 10) return error;
  unsigned fields[3] = {};
  int field = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 4 || i == 7) {
      if (text[i] != '-') return error;
      ++field;
    } else {
      if (text[i] < '0' || text[i] > '9') return error;
      fields[field] = fields[field] * 10 + static_cast<unsigned>(text[i] - '0');
    }
  }
  using namespace std::chrono;
  const year_month_day day_read{year(static_cast<int>(fields[0])), month(fields[1]), day(fields[2])};
  if (!day_read.ok() || fields[0] < 1970) return error;
  return LocalDate(day_read);
}

}  // namespace tillsyn::civil
