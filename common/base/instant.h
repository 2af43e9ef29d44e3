#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace tillsyn {

// A point in UTC, to the millisecond. Where it comes from, and whether it may be trusted, is the clock's business.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

// RFC 3339 in exactly one spelling, "2026-11-22T20:15:00Z": UTC, whole seconds, upper-case T and Z, years 1970-9999, no
// leap second. parse refuses every other spelling and impossible dates. Reason: "time". Threads: reentrant.
std::string format_instant(Instant instant);  // cuts fractions of a second
Result<Instant> parse_instant(std::string_view text);

}  // namespace tillsyn
