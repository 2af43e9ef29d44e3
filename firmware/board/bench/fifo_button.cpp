#include "firmware/board/bench/fifo_button.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tillsyn::board::bench {
namespace {

constexpr std::size_t kMaxPending = 4096;

}  // namespace

Result<std::unique_ptr<Button>> FifoButton::open(const std::string& path) {
  mkfifo(path.c_str(), 0600);
  // Opened for writing too, so that it never ends when a test closes its side.
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  struct stat file {};
  if (!fd.is_open() || fstat(fd.get(), &file) != 0 || !S_ISFIFO(file.st_mode)) {
    return Error{Code::kUnavailable, "button", path + ": no FIFO here"};
  }
  return std::unique_ptr<Button>(new FifoButton(std::move(fd)));
}

Result<std::optional<Press>> FifoButton::read() {
  std::array<char, 256> chunk{};
  ssize_t got = 0;
  while (pending_.size() < kMaxPending && (got = ::read(fd_.get(), chunk.data(), chunk.size())) > 0) {
    pending_.append(chunk.data(), static_cast<std::size_t>(got));
  }
  for (std::size_t end = 0; (end = pending_.find('\n')) != std::string::npos;) {
    const std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    if (line == "press") return std::optional(Press::kShort);
    if (line == "hold") return std::optional(Press::kHeld);
  }
  if (pending_.size() >= kMaxPending) pending_.clear();
  return std::optional<Press>();
}

}  // namespace tillsyn::board::bench
