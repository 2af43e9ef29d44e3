#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/civil/windows.h"
#include "firmware/gate/guard.h"
#include "firmware/gate/hardware.h"

namespace tillsyn::gate {

// Looks 30 and 10 minutes before each window whether it will be able to open, so that a fault is a planned visit and
// not a surprise (DESIGN §5). Opens no camera. Threads: thread-bound.
class Preflight {
 public:
  static constexpr std::array kBefore{std::chrono::minutes(30), std::chrono::minutes(10)};
  static constexpr std::uint64_t kLeastFreeBytes = 32 * 1024 * 1024;

  // Borrows it.
  explicit Preflight(const Hardware& hardware) : hardware_(hardware) {}

  // One window that is to be looked at now, and what stands in its way, each a machine word; none: all is well.
  struct Finding {
    civil::Occurrence window;
    std::vector<std::string> faults;
  };

  // To be called often. Says each window at most once for each of kBefore; a look that was missed, as the hub was off,
  // is made up for while its window has not begun.
  std::vector<Finding> due(const Standing& standing, const board::ClockReading& clock, bool has_fuse);

  // What would keep the hub from opening at `at`, as far as can be known at `clock`: a word of judge_opening about
  // clock and trust, "no_fuse", "camera_missing", "light_fault", "disk_full".
  std::vector<std::string> faults(const Standing& standing, const board::ClockReading& clock, Instant at,
                                  bool has_fuse) const;

 private:
  using Look = std::pair<std::string, std::chrono::minutes>;  // window and date, how long before

  const Hardware& hardware_;
  std::set<Look> looked_;
};

}  // namespace tillsyn::gate
