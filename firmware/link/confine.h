#pragma once

#include "common/base/result.h"
#include "firmware/link/config.h"

namespace tillsyn::link {

// Gives up what link never needs, before its first byte from outside: no core dumps, no new privileges, the file system
// down to its own directories and the system's libraries and settings (Landlock), no exec, ptrace, mount or the like
// (seccomp: they end the program). A kernel without Landlock is logged; anything else that fails is kUnavailable
// "confine". Call while there is one thread.
Result<void> confine(const Config& config);

}  // namespace tillsyn::link
