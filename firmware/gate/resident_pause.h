#pragma once

#include <string>

#include "common/base/result.h"
#include "firmware/board/clock.h"
#include "firmware/gate/event_log.h"
#include "firmware/gate/store.h"

namespace tillsyn::gate {

// The resident's own pause: a press of the hub's button begins it, the next one ends it, and nothing else does either:
// no order, no restart, no date. Threads: thread-bound.
class ResidentPause {
 public:
  // Borrows both.
  ResidentPause(Store& store, EventLog& log) : store_(store), log_(log) {}

  // To be called once, first. kIo if what lies on disk is neither the one nor the other.
  Result<void> load();

  bool holds() const { return holds_; }

  // On disk, with its event about `resident` (empty: nobody is assigned any more), before `holds` says so.
  Result<void> toggle(const std::string& resident, const board::ClockReading& clock);

 private:
  Store& store_;
  EventLog& log_;
  bool holds_ = true;  // until it is known
};

}  // namespace tillsyn::gate
