#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tillsyn::fuse {

using Milliseconds = std::chrono::milliseconds;

// What the fuse makes of one run of gate: whether the light must be lit, and whether gate must die. See feed.h.
// Pure: times are of any one steady clock. Threads: thread-bound.
class Judge {
 public:
  explicit Judge(Milliseconds started) : started_(started), allowed_at_(started) {}

  // Gate has said `byte`.
  void hear(std::uint8_t byte, Milliseconds now);

  // Whether gate holds a camera descriptor at this moment; what cannot be known is held.
  void see(bool camera_held, Milliseconds now);

  bool light_needed(Milliseconds now) const;

  // Why gate must be killed, or null.
  const char* fault(Milliseconds now) const;

 private:
  Milliseconds started_;
  Milliseconds allowed_at_;  // when a held camera was last in order: verdict open, or no camera held
  std::optional<Milliseconds> fed_at_;
  std::optional<Milliseconds> light_asked_at_;
  bool verdict_open_ = false;
  bool camera_held_ = false;
  bool nonsense_ = false;
};

}  // namespace tillsyn::fuse
