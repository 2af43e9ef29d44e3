#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/civil/schedule.h"

namespace tillsyn::civil {

// Judges schedules. A window starts at its local time (see Zone::instant_of) and lasts `length` of elapsed time; it is
// open while start <= t < end. So a change of clocks never opens a camera longer than was agreed and never drops a
// supervision. Overlapping and touching windows are one opening, but each is a supervision of its own.
//
// Threads: all functions are pure and reentrant. All but `occurrences` allocate nothing.

// How far next_change looks ahead, inclusive.
constexpr std::chrono::days kHorizon{400};

// One supervision: the window `window` of the date `date`.
struct Occurrence {
  std::string window;
  LocalDate date;
  Instant start;
  Instant end;  // exclusive
};

// Every supervision that is open at some instant t with from <= t < to, ordered by start, then end, then window id.
std::vector<Occurrence> occurrences(const Schedule& schedule, Instant from, Instant to);

// Whether the camera may be open at `t` by the schedule alone.
bool is_open(const Schedule& schedule, Instant t);

// When the opening that holds `t` ends (exclusive): the end of all the windows that overlap or touch one another from
// there. nullopt if closed at `t`, or if it does not end within kHorizon.
std::optional<Instant> current_opening_end(const Schedule& schedule, Instant t);

// The next instant after `t` at which is_open changes; nullopt if none within kHorizon.
std::optional<Instant> next_change(const Schedule& schedule, Instant t);

}  // namespace tillsyn::civil
