#include "firmware/gate/window_log.h"

#include <algorithm>

namespace tillsyn::gate {
namespace {

using Windows = std::vector<orders::WindowOnDate>;

Windows windows_now(const Standing& standing, const board::ClockReading& clock) {
  Windows windows;
  const civil::Schedule* schedule = schedule_now(standing, clock);
  if (schedule == nullptr) return windows;
  for (const auto& occurrence : civil::occurrences(*schedule, clock.utc, clock.utc + std::chrono::milliseconds(1)))
    windows.push_back({occurrence.window, occurrence.date});
  return windows;
}

bool holds(const Windows& windows, const orders::WindowOnDate& window) {
  return std::ranges::find(windows, window) != windows.end();
}

orders::Event event_of(const char* kind, const orders::WindowOnDate& window, const Standing& standing) {
  orders::Event event;
  event.kind = kind;
  event.window = window;
  if (const auto* assignment = standing.book.assignment_of(standing.hub)) event.resident = assignment->resident;
  return event;
}

}  // namespace

Result<void> WindowLog::observe(const Standing& standing, const board::ClockReading& clock) {
  if (!loaded_) {
    TILLSYN_TRY(stored, store_.open_windows());
    open_ = std::move(stored);
    loaded_ = true;
  }
  const Windows now = windows_now(standing, clock);
  const Windows before = open_;
  for (const auto& window : before)
    if (!holds(now, window)) TILLSYN_CHECK(remove(window, standing, clock));
  for (const auto& window : now)
    if (!holds(before, window)) TILLSYN_CHECK(add(window, standing, clock));
  return {};
}

Result<void> WindowLog::add(const orders::WindowOnDate& window, const Standing& standing,
                            const board::ClockReading& clock) {
  TILLSYN_TRY(transaction, store_.begin());
  TILLSYN_CHECK(store_.add_open_window(window));
  TILLSYN_CHECK(log_.append(event_of("window_opened", window, standing), clock));
  TILLSYN_CHECK(transaction.commit());
  open_.push_back(window);
  return {};
}

Result<void> WindowLog::remove(const orders::WindowOnDate& window, const Standing& standing,
                               const board::ClockReading& clock) {
  orders::Event event = event_of("window_closed", window, standing);
  const Opening opening = judge_opening(standing, clock);
  if (!opening.is_open() && opening.reason != "outside_window") event.reason = opening.reason;
  TILLSYN_TRY(transaction, store_.begin());
  TILLSYN_CHECK(store_.remove_open_window(window));
  TILLSYN_CHECK(log_.append(std::move(event), clock));
  TILLSYN_CHECK(transaction.commit());
  std::erase(open_, window);
  return {};
}

}  // namespace tillsyn::gate
