#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace tillsyn::gate {

// What the program may still touch of the file system once it is confined. A path that does not exist is left out.
struct Territory {
  std::vector<std::string> readable;  // files, or folders with all below them
  std::vector<std::string> writable;  // the same, to read, write, create and remove in; devices among them
};

// Gives up what the program will never need, in two steps, both before it reads its first byte from outside. There is
// no half confinement: a step that fails ends with kUnavailable, reason "confinement", and the program must not go on.
//
// The first, while the program has one thread: no core dumps, memory kept out of swap, an empty network namespace (the
// one it is in, if only a loopback that is down is there, else a new one), no capabilities, no new privileges, and the
// file system down to `territory` (Landlock, ABI 2 or later).
Result<void> confine_process(const Territory& territory);

// The second, once all libraries are loaded; it takes effect in every thread. execve, ptrace, socket and their like
// kill the program; calls that are not on the list fail with ENOSYS and are reported by denied_call.
Result<void> confine_system_calls();

// The number of the newest unlisted system call since it was last asked. Threads: thread-safe.
std::optional<int> denied_call();

}  // namespace tillsyn::gate
