// A source of time for a whole program: preloaded before libc, it answers clock_gettime and what stands on it from a
// page that the simulation writes, and stretches timers to match. The program itself is the one that is shipped; no
// check in it is touched, only what the time is.
//
// The page is the file TILLSYN_SIMULATED_CLOCK: six 8-byte numbers of this machine's byte order, `Page` below. While
// `sequence` is odd, or changes under a reader, it is being written.  Threads: reentrant.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr std::int64_t kNanos = 1'000'000'000;
constexpr std::int64_t kLeastWait = kNanos / 1000;  // no spinning at a clock that waits
constexpr std::int64_t kLookAgain = kNanos / 50;  // the rate may have changed since a timer was set; early is harmless

struct Page {
  std::atomic<std::uint64_t> sequence;
  std::atomic<std::int64_t> real;    // CLOCK_MONOTONIC, ns, at which the others were so
  std::atomic<std::int64_t> wall;    // ns since 1970
  std::atomic<std::int64_t> steady;  // ns
  std::atomic<double> rate;          // simulated time per real time, above 0
  std::atomic<std::int64_t> most;  // ns that may pass since then: the clock waits for a simulation that is kept waiting
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<double>::is_always_lock_free);

struct Reading {
  std::int64_t wall;
  std::int64_t steady;
  double rate;
};

std::int64_t nanos_of(const timespec& time) { return time.tv_sec * kNanos + time.tv_nsec; }
timespec timespec_of(std::int64_t nanos) { return {nanos / kNanos, nanos % kNanos}; }

std::int64_t real_now() {
  timespec now{};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return nanos_of(now);
}

// A program that was to have this clock and has not got it must not go on with another.
const Page& page() {
  static const Page* const mapped = [] {
    const char* name = std::getenv("TILLSYN_SIMULATED_CLOCK");
    const int file = name == nullptr ? -1 : open(name, O_RDONLY | O_CLOEXEC);
    void* at = mmap(nullptr, sizeof(Page), PROT_READ, MAP_SHARED, file, 0);
    if (at == MAP_FAILED) std::abort();
    close(file);
    return static_cast<const Page*>(at);
  }();
  return *mapped;
}

Reading read_page() {
  const Page& from = page();
  for (;;) {
    const auto before = from.sequence.load();
    const double rate = from.rate.load();
    const auto elapsed = static_cast<double>(real_now() - from.real.load());
    const auto passed = std::min(static_cast<std::int64_t>(elapsed * rate), from.most.load());
    const Reading out{from.wall.load() + passed, from.steady.load() + passed, rate};
    if (before % 2 == 0 && before == from.sequence.load()) return out;
  }
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
      *out = timespec_of(read_page().wall);
      return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      *out = timespec_of(read_page().steady);
      return 0;
    default:
      return static_cast<int>(syscall(SYS_clock_gettime, clock, out));
  }
}

int gettimeofday(timeval* out, void*) noexcept {
  const auto now = timespec_of(read_page().wall);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  const time_t now = read_page().wall / kNanos;
  if (out != nullptr) *out = now;
  return now;
}

int timerfd_settime(int timer, int flags, const itimerspec* given, itimerspec* before) noexcept {
  itimerspec real = *given;
  const auto wait = nanos_of(given->it_value);
  if (flags == 0 && wait > 0) {
    const auto stretched = static_cast<std::int64_t>(static_cast<double>(wait) / read_page().rate);
    real.it_value = timespec_of(std::clamp(stretched, kLeastWait, kLookAgain));
  }
  return static_cast<int>(syscall(SYS_timerfd_settime, timer, flags, &real, before));
}
}
