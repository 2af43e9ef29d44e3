#include "firmware/fuse/judge.h"

#include "firmware/fuse/feed.h"

namespace tillsyn::fuse {

void Judge::hear(std::uint8_t byte, Milliseconds now) {
  fed_at_ = now;
  verdict_open_ = byte == kVerdictOpen || byte == kLightWanted;
  if (byte == kLightWanted) light_asked_at_ = now;
  if (!verdict_open_ && byte != kVerdictClosed) nonsense_ = true;
  if (verdict_open_) allowed_at_ = now;
}

void Judge::see(bool camera_held, Milliseconds now) {
  if (camera_held_ && !camera_held) light_asked_at_.reset();
  camera_held_ = camera_held;
  if (verdict_open_ || !camera_held) allowed_at_ = now;
}

bool Judge::light_needed(Milliseconds now) const {
  return camera_held_ || (light_asked_at_ && now - *light_asked_at_ < Milliseconds(kLightGraceMs));
}

const char* Judge::fault(Milliseconds now) const {
  if (nonsense_) return "says what is not in the feed";
  if (!fed_at_ && now - started_ > Milliseconds(kFirstFeedTimeoutMs)) return "has not begun to judge";
  if (fed_at_ && now - *fed_at_ > Milliseconds(kFeedTimeoutMs)) return "has stopped judging";
  if (now - allowed_at_ > Milliseconds(kFeedTimeoutMs) && camera_held_) return "holds a camera while closed";
  return nullptr;
}

}  // namespace tillsyn::fuse
