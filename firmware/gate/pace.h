#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace tillsyn::gate {

// How many bits a view may have, so that its pictures stay near the present on any network (DESIGN §6). Knows when each
// picture was taken and which one the viewer has painted; what lies between is the delay. The least delay seen is the
// network's own; 400 ms more than that is too late.
//
// Pure: no clock of its own. All times are the capture clock's. Threads: thread-bound.
class Pace {
 public:
  using Milliseconds = std::chrono::milliseconds;

  static constexpr unsigned kFirstKbit = 800;
  static constexpr unsigned kLeastKbit = 100;
  static constexpr unsigned kMostKbit = 1600;
  static constexpr Milliseconds kMaxBehind{400};
  static constexpr Milliseconds kLowerEvery{500};
  static constexpr Milliseconds kRaiseEvery{2000};

  unsigned kbit() const { return kbit_; }

  // A picture was sent.
  void sent(std::uint64_t ctr, Milliseconds capture);

  // The viewer says that it has painted `ctr`. True if it is too far behind: then the rate is lower, and pictures are
  // to be left out up to the next key frame. Once in kLowerEvery at most.
  bool painted(std::uint64_t ctr, Milliseconds now);

  // Pictures could not even be handed to link in time: a lower rate, once in kLowerEvery at most.
  void late(Milliseconds now);

 private:
  struct Sent {
    std::uint64_t ctr = 0;
    Milliseconds capture{0};
  };

  bool lower(Milliseconds now);
  void raise(Milliseconds now);

  std::deque<Sent> sent_;
  std::optional<Milliseconds> least_behind_;
  std::optional<Milliseconds> changed_;
  unsigned kbit_ = kFirstKbit;
};

}  // namespace tillsyn::gate
