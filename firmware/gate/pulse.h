#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

namespace tillsyn::gate {

// Tells the fuse every 100 ms that gate judges (firmware/fuse/feed.h), from a thread of its own, so that a disk that is
// slow to write does not look like a gate that hangs. The thread touches no disk and allocates nothing; it believes the
// loop for a short while only, and not at all past the instant at which what is open must be closed. When it falls
// silent the fuse kills the program within a second, and with it the camera.
//
// All times are CLOCK_MONOTONIC_RAW. Threads: `judged` and `byte_at` from any.
class Pulse {
 public:
  using Milliseconds = std::chrono::milliseconds;

  static constexpr Milliseconds kEvery{100};
  static constexpr Milliseconds kLoopPatience{2500};

  // Borrows the descriptor, -1 for none. Call `start` once the program has confined itself: a thread that was there
  // before would not be.
  explicit Pulse(int feed) : feed_(feed) {}
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  void start();

  // The loop has judged at `now`: cameras may be held until `open_until`; nullopt: none is held or about to be.
  void judged(Milliseconds now, std::optional<Milliseconds> open_until);

  // What there is to tell at `now`; nullopt: nothing, as nobody judges or it should be closed by now.
  std::optional<std::uint8_t> byte_at(Milliseconds now) const;

 private:
  void beat(const std::stop_token& stop) const;

  static constexpr std::int64_t kClosed = -1;

  int feed_;
  std::atomic<std::int64_t> judged_at_{0};
  std::atomic<std::int64_t> open_until_{kClosed};
  std::jthread thread_;
};

}  // namespace tillsyn::gate
