#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace tillsyn::board {

// The hardware that restarts the machine when it is not fed: the end behind the fuse, which alone has one. Threads:
// thread-bound.
class Watchdog {
 public:
  static constexpr int kTimeoutSeconds = 10;  // where the hardware can be told; else it keeps its own

  virtual ~Watchdog() = default;

  // To be called at least once a second. kIo "watchdog".
  virtual Result<void> feed() = 0;

  // Ends its watch, for a fuse that was told to stop. Without this it goes on after the program's end, and restarts the
  // machine unless somebody opens and feeds it in time. kIo "watchdog".
  virtual Result<void> disarm() = 0;
};

// The kernel's: /dev/watchdog0 (Documentation/watchdog/watchdog-api.rst).
class KernelWatchdog : public Watchdog {
 public:
  // It watches from here on. kUnavailable "watchdog" if it is not there, is no watchdog or somebody else feeds it.
  static Result<std::unique_ptr<Watchdog>> open(const std::string& device);

  Result<void> feed() override;
  Result<void> disarm() override;

 private:
  explicit KernelWatchdog(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// A board without one.
class NoWatchdog : public Watchdog {
 public:
  Result<void> feed() override { return {}; }
  Result<void> disarm() override { return {}; }
};

}  // namespace tillsyn::board
