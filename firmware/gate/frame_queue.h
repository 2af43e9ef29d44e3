#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "common/base/unique_fd.h"
#include "firmware/camera/camera.h"

namespace tillsyn::gate {

// Takes coded pictures from a media thread to the loop. Bounded: the oldest is dropped and counted, as a late picture
// is worth nothing. Threads: `push` from any, the rest from the loop's.
class FrameQueue {
 public:
  static constexpr std::size_t kMaxFrames = 30;

  FrameQueue();

  // Never blocks for longer than the loop takes to move one picture out.
  void push(camera::AccessUnit unit);

  // Readable while there may be pictures.
  int fd() const { return wake_.get(); }

  // The oldest picture, nullopt if there is none (the fd is then not readable until the next push).
  std::optional<camera::AccessUnit> pop();

  // The capture time of the oldest one waiting.
  std::optional<std::uint64_t> oldest_mono_ms() const;

  // Removes everything that waits.
  void clear();

  // Pictures dropped since it was last asked. After a drop nothing can be decoded until a key frame.
  std::uint64_t take_dropped();

 private:
  mutable std::mutex mutex_;
  std::deque<camera::AccessUnit> units_;
  std::uint64_t dropped_ = 0;
  UniqueFd wake_;
};

}  // namespace tillsyn::gate
