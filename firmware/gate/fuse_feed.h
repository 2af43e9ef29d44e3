#pragma once

#include <optional>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace tillsyn::gate {

// Gate's end of the line to its parent (firmware/fuse/feed.h), for what the loop says; the rest is Pulse's. Without
// one, no camera is ever opened. Threads: thread-bound.
class FuseFeed {
 public:
  explicit FuseFeed(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool is_there() const { return fd_.is_open(); }

  // Asks for the light; the camera may be opened when `answer` has said true. kUnavailable "fuse" when the parent has
  // died.
  Result<void> ask_light();

  // What the parent says to that: true lit, false failed; nullopt nothing yet. kUnavailable "fuse" when it has died:
  // close and end.
  Result<std::optional<bool>> answer();

 private:
  UniqueFd fd_;
};

}  // namespace tillsyn::gate
