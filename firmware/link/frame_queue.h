#pragma once

#include <cstdint>
#include <deque>
#include <span>

#include "common/base/bytes.h"
#include "firmware/link/time.h"

namespace tillsyn::link {

// The frames of one stream that wait for the network, bounded in milliseconds. What has waited longer is worth nothing:
// all but the frame being sent and the end is dropped, up to the next key frame, as the viewer cannot go on with less.
// Pure. Threads: thread-bound.
class FrameQueue {
 public:
  static constexpr Milliseconds kPatience{400};
  static constexpr Milliseconds kStartPatience{3000};  // before the first byte is taken: the connection is being made
  static constexpr std::size_t kMaxBytes = 8 * 1024 * 1024;

  // A whole frame as gate sent it (PROTOCOL, "A view's key and frames").
  void push(ByteView frame, TimePoint now);

  // Takes up to out.size() bytes of what is next; 0 if nothing waits.
  std::size_t read(std::span<std::uint8_t> out);

  bool empty() const { return frames_.empty(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Frame {
    Bytes bytes;
    bool is_key;
    bool is_end;
    TimePoint since;
  };

  bool is_late(TimePoint now) const;
  void drop_waiting();

  std::deque<Frame> frames_;
  std::size_t first_sent_ = 0;  // bytes of the first frame that have been taken
  std::size_t bytes_ = 0;
  bool started_ = false;
  bool needs_key_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace tillsyn::link
