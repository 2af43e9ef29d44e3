#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace tillsyn::civil {

// A day of the calendar on the wall at home, without a time zone.
using LocalDate = std::chrono::local_days;

// RFC 3339 full-date in exactly one spelling, "2026-12-24", years 1970-9999. parse refuses every other spelling and
// impossible dates. Reason: "date". Threads: reentrant.
std::string format_date(LocalDate date);
Result<LocalDate> parse_date(std::string_view text);

}  // namespace tillsyn::civil
