#include "firmware/link/frame_queue.h"

#include <algorithm>

namespace tillsyn::link {
namespace {

constexpr std::size_t kFlagsAt = 4;
constexpr std::uint8_t kKeyFrame = 1;
constexpr std::uint8_t kEnd = 2;

}  // namespace

void FrameQueue::push(ByteView frame, TimePoint now) {
  const std::uint8_t flags = frame.size() > kFlagsAt ? frame[kFlagsAt] : 0;
  const bool is_key = (flags & kKeyFrame) != 0;
  const bool is_end = (flags & kEnd) != 0;
  if (is_late(now) || bytes_ + frame.size() > kMaxBytes) drop_waiting();
  if (needs_key_ && !is_key && !is_end) {
    ++dropped_;
    return;
  }
  if (is_key) needs_key_ = false;
  bytes_ += frame.size();
  frames_.push_back({Bytes(frame.begin(), frame.end()), is_key, is_end, now});
}

bool FrameQueue::is_late(TimePoint now) const {
  return !frames_.empty() && now - frames_.front().since > (started_ ? kPatience : kStartPatience);
}

void FrameQueue::drop_waiting() {
  // A frame that is half sent must be finished, or the rest of the stream would be read as nonsense.
  const auto first = frames_.begin() + (first_sent_ > 0 ? 1 : 0);
  const auto kept = std::remove_if(first, frames_.end(), [this](const Frame& frame) {
    if (frame.is_end) return false;
    bytes_ -= frame.bytes.size();
    ++dropped_;
    return true;
  });
  frames_.erase(kept, frames_.end());
  needs_key_ = true;
}

std::size_t FrameQueue::read(std::span<std::uint8_t> out) {
  std::size_t filled = 0;
  while (filled < out.size() && !frames_.empty()) {
    const ByteView rest = ByteView(frames_.front().bytes).subspan(first_sent_);
    const std::size_t part = std::min(rest.size(), out.size() - filled);
    std::copy_n(rest.begin(), part, out.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += part;
    first_sent_ += part;
    if (part < rest.size()) break;
    bytes_ -= frames_.front().bytes.size();
    frames_.pop_front();
    first_sent_ = 0;
  }
  started_ = started_ || filled > 0;
  return filled;
}

}  // namespace tillsyn::link
