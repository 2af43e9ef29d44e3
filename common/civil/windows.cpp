#include "common/civil/windows.h"

#include <algorithm>
#include <tuple>

namespace tillsyn::civil {
namespace {

using std::chrono::days;

// A window's start lies within its local date, and its end half a day later. Two days each side also cover the zones
// that have skipped or repeated a whole date.
constexpr days kReach{2};

bool is_valid_on(const Schedule& schedule, LocalDate date) {
  return (!schedule.valid_from || *schedule.valid_from <= date) && (!schedule.valid_to || date <= *schedule.valid_to);
}

const Exception* exception_on(const Schedule& schedule, LocalDate date) {
  const auto found = std::lower_bound(schedule.exceptions.begin(), schedule.exceptions.end(), date,
                                      [](const Exception& e, LocalDate d) { return e.date < d; });
  return found != schedule.exceptions.end() && found->date == date ? &*found : nullptr;
}

// Calls visit(window, start, end) for each window of `date`.
template <typename Visit>
void for_each_window_on(const Schedule& schedule, LocalDate date, Visit visit) {
  if (!is_valid_on(schedule, date)) return;
  const auto place = [&](const DayWindow& window) {
    const Instant start = schedule.zone->instant_of(date, window.start);
    visit(window, start, Instant(start + window.length));
  };
  if (const Exception* exception = exception_on(schedule, date)) {
    for (const DayWindow& window : exception->windows) place(window);
    return;
  }
  const unsigned today = 1u << (std::chrono::weekday(date).iso_encoding() - 1);
  for (const WeekWindow& weekly : schedule.windows) {
    if ((weekly.days & today) != 0) place(weekly.window);
  }
}

// The latest end among the windows that hold `t`; `t` itself if none does.
Instant latest_end_at(const Schedule& schedule, Instant t) {
  Instant latest = t;
  const LocalDate today = schedule.zone->date_at(t);
  for (LocalDate date = today - kReach; date <= today + kReach; date += days(1)) {
    for_each_window_on(schedule, date, [&](const DayWindow&, Instant start, Instant end) {
      if (start <= t && t < end) latest = std::max(latest, end);
    });
  }
  return latest;
}

std::optional<Instant> next_opening(const Schedule& schedule, Instant t) {
  std::optional<Instant> first;
  const LocalDate today = schedule.zone->date_at(t);
  LocalDate last = today + kHorizon + kReach;
  for (LocalDate date = today - kReach; date <= last; date += days(1)) {
    for_each_window_on(schedule, date, [&](const DayWindow&, Instant start, Instant) {
      if (start > t && (!first || start < *first)) first = start;
    });
    if (first) last = std::min(last, schedule.zone->date_at(*first) + kReach);
  }
  if (first && *first > t + kHorizon) return std::nullopt;
  return first;
}

}  // namespace

std::vector<Occurrence> occurrences(const Schedule& schedule, Instant from, Instant to) {
  std::vector<Occurrence> out;
  if (from >= to) return out;
  const LocalDate last = schedule.zone->date_at(to) + kReach;
  for (LocalDate date = schedule.zone->date_at(from) - kReach; date <= last; date += days(1)) {
    for_each_window_on(schedule, date, [&](const DayWindow& window, Instant start, Instant end) {
      if (start < to && from < end) out.push_back({window.id, date, start, end});
    });
  }
  std::sort(out.begin(), out.end(), [](const Occurrence& a, const Occurrence& b) {
    return std::tie(a.start, a.end, a.window) < std::tie(b.start, b.end, b.window);
  });
  return out;
}

bool is_open(const Schedule& schedule, Instant t) { return latest_end_at(schedule, t) > t; }

std::optional<Instant> current_opening_end(const Schedule& schedule, Instant t) {
  Instant end = latest_end_at(schedule, t);
  if (end == t) return std::nullopt;
  for (Instant reached = t; end != reached && end <= t + kHorizon;) {
    reached = end;
    end = latest_end_at(schedule, reached);
  }
  if (end > t + kHorizon) return std::nullopt;
  return end;
}

std::optional<Instant> next_change(const Schedule& schedule, Instant t) {
  return is_open(schedule, t) ? current_opening_end(schedule, t) : next_opening(schedule, t);
}

}  // namespace tillsyn::civil
