#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/bytes.h"
#include "common/base/json.h"

namespace tillsyn::hubs {

// That there is nothing to say to one hub: found out on the store once, and true until something changes for the hub or
// in what it tells of itself. So most heartbeats cost no disk. Threads: thread-bound.
class Quiet {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // In any case it is found out anew after this: a change that went untold makes the hub's orders late, not lost.
  static constexpr std::chrono::seconds kLongest{60};

  // Something may have changed. What is being found out meanwhile does not count.
  void changed();
  // A change as well, if it tells other trust, slots or acknowledged events than before: an answer depends on no more.
  void heard(const Json& status);
  std::uint64_t changes() const { return changes_; }

  // Nothing to say, by a question asked after `changes` changes.
  void found(std::uint64_t changes, std::uint64_t events_acked, Time now);

  // The newest event acknowledged, if there is nothing else to say.
  std::optional<std::uint64_t> holds(Time now) const;

 private:
  struct Found {
    std::uint64_t events_acked;
    Time at;
  };
  std::uint64_t changes_ = 0;
  ByteArray<32> told_{};  // hash of what the last status told
  std::optional<Found> found_;
};

}  // namespace tillsyn::hubs
