#include "relay/sessions/frame_queue.h"

namespace tillsyn::sessions {

namespace {

bool is_key(const sframe::FrameInfo& info) { return (info.flags & sframe::kKeyFrame) != 0; }
bool is_end(const sframe::FrameInfo& info) { return (info.flags & sframe::kEnd) != 0; }

}  // namespace

void FrameQueue::push(const sframe::FrameView& frame) {
  if (is_key(frame.info)) waits_for_key_frame_ = false;
  if (waits_for_key_frame_ && !is_end(frame.info)) {
    ++dropped_;
    return;
  }
  frames_.push_back({frame.info, Bytes(frame.wire.begin(), frame.wire.end())});
  bytes_ += frame.wire.size();
  while (is_behind()) drop_to_key_frame();
}

std::optional<Bytes> FrameQueue::pop() {
  if (frames_.empty()) return std::nullopt;
  Bytes wire = std::move(frames_.front().wire);
  bytes_ -= wire.size();
  frames_.pop_front();
  return wire;
}

void FrameQueue::clear() {
  frames_.clear();
  bytes_ = 0;
  waits_for_key_frame_ = false;
}

bool FrameQueue::is_behind() const {
  if (frames_.size() < 2) return false;
  const auto oldest = frames_.front().info.capture_ms;
  const auto newest = frames_.back().info.capture_ms;
  return bytes_ > kMaxBytes || (newest > oldest && newest - oldest > kMaxBehindMs);
}

void FrameQueue::drop_to_key_frame() {
  do {
    drop_front();
  } while (!frames_.empty() && !is_key(frames_.front().info) && !is_end(frames_.front().info));
  waits_for_key_frame_ = frames_.empty() || is_end(frames_.front().info);
}

void FrameQueue::drop_front() {
  bytes_ -= frames_.front().wire.size();
  frames_.pop_front();
  ++dropped_;
}

}  // namespace tillsyn::sessions
