#pragma once

#include <optional>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace tillsyn::gate {

// Gate's end of the line to its parent (firmware/fuse/feed.h). Without one, no camera is ever opened.
// Threads: thread-bound.
class FuseFeed {
 public:
  explicit FuseFeed(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool is_there() const { return fd_.is_open(); }

  // Tells the verdict: whether a camera may be held. kUnavailable "fuse" when the parent has died: close and end.
  Result<void> tell(bool open);

  // Asks for the light; the camera may be opened when `answer` has said true.
  Result<void> ask_light();

  // What the parent says to that: true lit, false failed; nullopt nothing yet.
  Result<std::optional<bool>> answer();

 private:
  Result<void> write(std::uint8_t byte);

  UniqueFd fd_;
};

}  // namespace tillsyn::gate
