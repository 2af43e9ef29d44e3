#include "firmware/board/clock.h"

#include <sys/timex.h>

#include <ctime>

namespace tillsyn::board {
namespace {

Milliseconds read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) +
         std::chrono::duration_cast<Milliseconds>(std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

Milliseconds monotonic_raw() { return read_clock(CLOCK_MONOTONIC_RAW); }
Milliseconds boottime() { return read_clock(CLOCK_BOOTTIME); }

ClockSample read_clocks() {
  // Both clocks must belong to one moment; a thread put aside between the two would look like a step.
  constexpr Milliseconds kTogether{20};
  ClockSample sample;
  for (int attempt = 0; attempt < 5; ++attempt) {
    sample.mono = monotonic_raw();
    sample.utc = Instant(read_clock(CLOCK_REALTIME));
    if (monotonic_raw() - sample.mono <= kTogether) break;
  }
  return sample;
}

ClockSample KernelClockSource::sample() {
  ClockSample sample = read_clocks();
  timex kernel{};
  const int state = adjtimex(&kernel);
  sample.synchronised = state >= 0 && state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0;
  sample.max_error = Milliseconds(kernel.maxerror / 1000);
  sample.word = sample.synchronised ? "synchronised" : "not_synchronised";
  return sample;
}

Clock::Clock(std::unique_ptr<ClockSource> source, Instant floor) : source_(std::move(source)), judge_(floor) {}

ClockReading Clock::read() {
  const std::lock_guard lock(mutex_);
  const ClockSample sample = source_->sample();
  return {sample.utc, sample.mono, judge_.judge(sample), sample.word};
}

void Clock::raise_floor(Instant floor) {
  const std::lock_guard lock(mutex_);
  judge_.raise_floor(floor);
}

Instant Clock::floor() const {
  const std::lock_guard lock(mutex_);
  return judge_.floor();
}

}  // namespace tillsyn::board
