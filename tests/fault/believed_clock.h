#pragma once

#include <vector>

#include "tests/fault/site.h"
#include "tests/property/naive.h"

namespace tillsyn::fault {

// Drives a hub's clock, and knows afterwards which pictures the hub may have taken: those of moments at which its clock
// was to be believed and the plan, reckoned by the naive rules and not by the firmware's, says open.
class BelievedClock {
 public:
  BelievedClock(const Programs& programs, property::Plan plan);

  // The source says so from now on; `believed`: whether the gate has to believe it.
  void set(milliseconds offset, bool synchronised, bool believed);
  milliseconds offset() const { return spans_.back().offset; }
  // What the hub's clock shows, and whether the plan is open then.
  property::Ms shown() const;
  bool is_open() const { return plan_.is_open(shown()); }

  struct Count {
    int inside = 0;
    int outside = 0;
    milliseconds latest{0};  // of those inside: how long after the clock was no longer to be believed
  };
  Count count(const std::vector<milliseconds>& captures) const;

 private:
  struct Span {
    milliseconds from{0};  // CLOCK_MONOTONIC_RAW, as captures
    milliseconds offset{0};
    bool believed = true;
  };

  bool allows(const Span& span, milliseconds capture) const;

  const Programs& programs_;
  property::Plan plan_;
  milliseconds wall_minus_mono_;
  std::vector<Span> spans_;
};

}  // namespace tillsyn::fault
