#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace tillsyn::fuse {

// A running gate: its process and our end of the feed.
struct Child {
  pid_t process = -1;
  UniqueFd feed;  // SOCK_SEQPACKET, non-blocking
};

// Starts `command` with "--feed-fd N" added. It gets nothing else of ours, and dies when we die. kUnavailable "child"
// if no process could be made; a command that cannot be executed is a child that ends at once with 127.
Result<Child> start(const std::vector<std::string>& command);

}  // namespace tillsyn::fuse
