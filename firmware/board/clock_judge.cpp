#include "firmware/board/clock_judge.h"

#include <algorithm>

namespace tillsyn::board {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kMaxError = 1s;
constexpr Milliseconds kSlack = 500ms;
constexpr std::int64_t kDriftPerMillion = 500;
constexpr Milliseconds kReferenceAge = 1h;
constexpr Milliseconds kCoasting = 72h;
constexpr Milliseconds kFloorSlack = 1s;

bool is_healthy(const ClockSample& sample) { return sample.synchronised && sample.max_error < kMaxError; }

}  // namespace

const char* clock_state_name(ClockState state) {
  switch (state) {
    case ClockState::kTrusted:
      return "trusted";
    case ClockState::kNeverSynchronised:
      return "never_synchronised";
    case ClockState::kStepped:
      return "stepped";
    case ClockState::kCoastedTooLong:
      return "coasted_too_long";
    case ClockState::kBeforeFloor:
      return "before_floor";
  }
  return "unknown";
}

void ClockJudge::raise_floor(Instant floor) { floor_ = std::max(floor_, floor); }

bool ClockJudge::agrees(const ClockSample& sample) const {
  const Milliseconds by_wall = sample.utc - reference_->utc;
  const Milliseconds by_mono = sample.mono - reference_->mono;
  return std::chrono::abs(by_wall - by_mono) <= kSlack + by_mono * kDriftPerMillion / 1'000'000;
}

ClockState ClockJudge::judge(const ClockSample& sample) {
  const ClockState state = decide(sample);
  previous_ = sample;
  if (state == ClockState::kTrusted) raise_floor(sample.utc);
  return state;
}

// The update that may have come together with the step does not vouch for it: the next one does.
bool ClockJudge::is_update_after_step(const ClockSample& sample) const {
  if (!is_healthy(sample)) return false;
  if (sample.updated_at) return *sample.updated_at > *stepped_at_;
  return previous_ && (!is_healthy(*previous_) || sample.max_error < previous_->max_error);
}

ClockState ClockJudge::decide(const ClockSample& sample) {
  if (reference_ && !agrees(sample)) {
    stepped_at_ = sample.mono;
    reference_.reset();
    last_synchronised_.reset();
    return ClockState::kStepped;
  }
  if (stepped_at_ && !is_update_after_step(sample)) return ClockState::kStepped;
  stepped_at_.reset();

  if (is_healthy(sample)) {
    last_synchronised_ = sample.mono;
    if (!reference_ || sample.mono - reference_->mono >= kReferenceAge) reference_ = sample;
  }
  if (!last_synchronised_) return ClockState::kNeverSynchronised;
  if (sample.mono - *last_synchronised_ > kCoasting) return ClockState::kCoastedTooLong;
  if (sample.utc < floor_ - kFloorSlack) return ClockState::kBeforeFloor;
  return ClockState::kTrusted;
}

}  // namespace tillsyn::board
