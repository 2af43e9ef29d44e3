#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn::gate {

using Milliseconds = std::chrono::milliseconds;
using Challenge = ByteArray<32>;

// The random values that acts must carry, so that no act of yesterday, and none made beforehand, is worth anything.
// Kept in memory only: a restart forgets them. All times are CLOCK_BOOTTIME, which no one can set and which counts
// sleep.
//
// Threads: thread-bound.
class Challenges {
 public:
  static constexpr Milliseconds kLife{120'000};
  static constexpr std::size_t kNewest = 8;
  static constexpr std::size_t kMaxUses = 256;

  // A new one, good for kLife unless kNewest newer ones have been made.
  Challenge fresh(Milliseconds boot);

  // The newest one that is good for half its life yet, or a new one: for telling when nobody has asked.
  Challenge newest(Milliseconds boot);

  // Success uses up `act` (issuer, nonce and id of a verified act, however spelt) for as long as any challenge of now
  // lives. Refused "unknown_challenge" if `challenge` was never made here or has run out, "replayed" if the act was
  // used, "too_many_views" if kMaxUses acts were used within kLife.
  Result<void> use(ByteView challenge, const std::string& act, Milliseconds boot);

 private:
  struct Made {
    Challenge value;
    Milliseconds at;
  };
  struct Used {
    std::string act;
    Milliseconds at;
  };

  void forget_old(Milliseconds boot);
  bool is_live(ByteView challenge) const;

  std::deque<Made> made_;  // oldest first
  std::deque<Used> used_;
};

}  // namespace tillsyn::gate
