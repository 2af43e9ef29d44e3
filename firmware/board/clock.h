#pragma once

#include <memory>
#include <mutex>

#include "common/base/instant.h"
#include "firmware/board/clock_judge.h"

namespace tillsyn::board {

// Where samples come from. Tests put another source here, never another judge. Threads: thread-bound.
class ClockSource {
 public:
  virtual ~ClockSource() = default;
  virtual ClockSample sample() = 0;
};

// The kernel's clock: CLOCK_REALTIME and adjtimex(2), which chrony or another time service keeps.
class KernelClockSource : public ClockSource {
 public:
  ClockSample sample() override;
};

// `utc` and `mono` of one moment, and nothing about what they are worth; for sources to complete. Threads: reentrant.
ClockSample read_clocks();

// One reading. All of it belongs to one moment.
struct ClockReading {
  Instant utc;
  Milliseconds mono{0};  // CLOCK_MONOTONIC_RAW: capture times, `mono` of status and answer
  ClockState state = ClockState::kNeverSynchronised;
  const char* word = "";  // the source's own, as ClockSample

  bool is_trusted() const { return state == ClockState::kTrusted; }
};

// The gate's clock: a source and its judge. Threads: thread-safe. `read` never waits for anybody and, but with the
// bench's source, touches no disk.
class Clock {
 public:
  Clock(std::unique_ptr<ClockSource> source, Instant floor);

  ClockReading read();

  // As ClockJudge.
  void raise_floor(Instant floor);
  Instant floor() const;

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<ClockSource> source_;
  ClockJudge judge_;
};

// CLOCK_MONOTONIC_RAW and CLOCK_BOOTTIME (which counts suspended time; for the age of challenges). Threads: reentrant.
Milliseconds monotonic_raw();
Milliseconds boottime();

}  // namespace tillsyn::board
