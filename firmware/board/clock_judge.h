#pragma once

#include <chrono>
#include <optional>

#include "common/base/instant.h"

namespace tillsyn::board {

using Milliseconds = std::chrono::milliseconds;

// What a clock source says at one moment.
struct ClockSample {
  Instant utc;
  Milliseconds mono{0};       // CLOCK_MONOTONIC_RAW: never stepped, never slewed
  bool synchronised = false;  // the time service says that it disciplines the clock
  Milliseconds max_error{0};  // its own bound of how far `utc` is from the world's time
  // mono of the update that it last made to the clock. A source that cannot say has a bound that grows between its
  // updates and falls at each.
  std::optional<Milliseconds> updated_at = {};
  const char* word = "";  // its state in a machine word of its own, for the log; static
};

enum class ClockState {
  kTrusted,
  kNeverSynchronised,  // not once since start
  kStepped,            // wall and monotonic clock part; until the time service's next update
  kCoastedTooLong,     // 72 h without the time service
  kBeforeFloor,        // earlier than a time that is known to have passed
};

// A machine word for status and logs: "trusted", "never_synchronised", ….
const char* clock_state_name(ClockState state);

// Decides whether the time may be believed (DESIGN §3, Trusted clock).
//
// Trusted when the source is synchronised within 1 s, wall and monotonic clock have agreed within 0.5 s + 500 ppm since
// the last reference, and the time is not more than 1 s before the floor. The reference moves with a synchronised
// source once an hour, however often it updates, so a wall clock that walks is a stepped one: half a second an hour
// beyond what oscillators do. A step distrusts until the source's next update, one that it made after the step was
// seen; of a source that cannot say when: synchronised anew, or an error bound that has fallen. Without synchronisation
// a trusted clock coasts on the monotonic clock for 72 h, from the last synchronised sample; a judge that has never
// trusted does not coast.
//
// Pure: no clock of its own. Threads: thread-bound.
class ClockJudge {
 public:
  // `floor`: the latest of build date, latest trusted time kept on disk, and date of the held bundle.
  explicit ClockJudge(Instant floor) : floor_(floor) {}

  // Judges the next sample; samples come in the order in which they were taken.
  ClockState judge(const ClockSample& sample);

  // A time known to have passed. Only ever raises. Each trusted sample raises it too; `floor` is what to keep on disk.
  void raise_floor(Instant floor);
  Instant floor() const { return floor_; }

 private:
  ClockState decide(const ClockSample& sample);
  bool is_update_after_step(const ClockSample& sample) const;
  bool agrees(const ClockSample& sample) const;

  Instant floor_;
  std::optional<ClockSample> previous_;
  std::optional<ClockSample> reference_;           // where wall and monotonic clock were last tied together
  std::optional<Milliseconds> last_synchronised_;  // mono of the newest synchronised and agreeing sample
  std::optional<Milliseconds> stepped_at_;         // mono; until the source's next update
};

}  // namespace tillsyn::board
