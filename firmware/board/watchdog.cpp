#include "firmware/board/watchdog.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tillsyn::board {
namespace {

Error failed(Code code, const std::string& what) { return {code, "watchdog", what + ": " + std::strerror(errno)}; }

}  // namespace

Result<std::unique_ptr<Watchdog>> KernelWatchdog::open(const std::string& device) {
  UniqueFd fd(::open(device.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.is_open() || ioctl(fd.get(), WDIOC_KEEPALIVE, 0) != 0) return failed(Code::kUnavailable, device);
  int seconds = kTimeoutSeconds;
  ioctl(fd.get(), WDIOC_SETTIMEOUT, &seconds);  // some have one time only
  return std::unique_ptr<Watchdog>(new KernelWatchdog(std::move(fd)));
}

Result<void> KernelWatchdog::feed() {
  if (ioctl(fd_.get(), WDIOC_KEEPALIVE, 0) != 0) return failed(Code::kIo, "feed");
  return {};
}

// The driver's word for an end that is meant.
Result<void> KernelWatchdog::disarm() {
  if (write(fd_.get(), "V", 1) != 1) return failed(Code::kIo, "disarm");
  return {};
}

}  // namespace tillsyn::board
