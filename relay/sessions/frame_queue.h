#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "common/sframe/frame.h"

namespace tillsyn::sessions {

// The frames that one viewer has not yet been sent. Bounded in milliseconds of capture time, since late pictures are
// worth nothing: once the newest is more than kMaxBehindMs younger than the oldest, everything before the next key
// frame goes, so that what follows can be decoded. The end of the stream is never dropped. kMaxBytes bounds a hub whose
// times stand still. Pure. Threads: thread-bound.
class FrameQueue {
 public:
  static constexpr std::uint64_t kMaxBehindMs = 400;
  static constexpr std::size_t kMaxBytes = 1024 * 1024;

  void push(const sframe::FrameView& frame);
  std::optional<Bytes> pop();  // the oldest, as it travels
  void clear();

  bool is_empty() const { return frames_.empty(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Held {
    sframe::FrameInfo info;
    Bytes wire;
  };

  bool is_behind() const;
  void drop_to_key_frame();
  void drop_front();

  std::deque<Held> frames_;
  std::size_t bytes_ = 0;
  bool waits_for_key_frame_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace tillsyn::sessions
