#pragma once

#include <vector>

#include "common/base/result.h"
#include "common/civil/windows.h"
#include "firmware/board/clock.h"
#include "firmware/gate/event_log.h"
#include "firmware/gate/guard.h"
#include "firmware/gate/store.h"

namespace tillsyn::gate {

// Logs window_opened and window_closed, each window once, also when the hub was off at its beginning or end. What
// counts is the schedule in force: a window that ends because it no longer is (withdrawn, paused, clock untrusted) is
// closed with that reason, and opened again if it comes back. Opens nothing: that is the guard's. Threads:
// thread-bound.
class WindowLog {
 public:
  // Borrows both.
  WindowLog(Store& store, EventLog& log) : store_(store), log_(log) {}

  // To be called often; looks at the disk only when something has changed.
  Result<void> observe(const Standing& standing, const board::ClockReading& clock);

 private:
  Result<void> add(const orders::WindowOnDate& window, const Standing& standing, const board::ClockReading& clock);
  Result<void> remove(const orders::WindowOnDate& window, const Standing& standing, const board::ClockReading& clock);

  Store& store_;
  EventLog& log_;
  bool loaded_ = false;
  std::vector<orders::WindowOnDate> open_;
};

}  // namespace tillsyn::gate
