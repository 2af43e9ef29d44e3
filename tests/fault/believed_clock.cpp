#include "tests/fault/believed_clock.h"

#include <ctime>

namespace tillsyn::fault {
namespace {

constexpr milliseconds kNoticed{1000};  // as promised; the gate looks ten times a second

milliseconds read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) +
         std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

BelievedClock::BelievedClock(const Programs& programs, property::Plan plan)
    : programs_(programs),
      plan_(std::move(plan)),
      wall_minus_mono_(read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC_RAW)),
      spans_{{}} {}

void BelievedClock::set(milliseconds offset, bool synchronised, bool believed) {
  programs_.set_clock(offset, synchronised);
  spans_.push_back({read_clock(CLOCK_MONOTONIC_RAW), offset, believed});
}

property::Ms BelievedClock::shown() const { return (read_clock(CLOCK_REALTIME) + offset()).count(); }

bool BelievedClock::allows(const Span& span, milliseconds capture) const {
  return span.believed && plan_.is_open((capture + wall_minus_mono_ + span.offset).count());
}

BelievedClock::Count BelievedClock::count(const std::vector<milliseconds>& captures) const {
  Count out;
  for (const auto capture : captures) {
    std::size_t at = spans_.size() - 1;
    while (at > 0 && spans_[at].from > capture) --at;
    bool allowed = allows(spans_[at], capture);
    const auto since = capture - spans_[at].from;
    const bool is_late = !allowed;
    while (!allowed && at > 0 && capture - spans_[at].from < kNoticed) allowed = allows(spans_[--at], capture);
    ++(allowed ? out.inside : out.outside);
    if (is_late && allowed) out.latest = std::max(out.latest, since);
  }
  return out;
}

}  // namespace tillsyn::fault
