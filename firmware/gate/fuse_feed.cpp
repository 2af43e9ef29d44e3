#include "firmware/gate/fuse_feed.h"

#include <sys/socket.h>

#include <cerrno>

#include "firmware/fuse/feed.h"

namespace tillsyn::gate {
namespace {

Error gone() { return {Code::kUnavailable, "fuse", "the fuse has died"}; }

}  // namespace

Result<void> FuseFeed::write(std::uint8_t byte) {
  if (!is_there()) return {};
  if (::send(fd_.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) return {};
  // A fuse that is late reads the next one.
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
  return gone();
}

Result<void> FuseFeed::tell(bool open) { return write(open ? fuse::kVerdictOpen : fuse::kVerdictClosed); }

Result<void> FuseFeed::ask_light() { return write(fuse::kLightWanted); }

Result<std::optional<bool>> FuseFeed::answer() {
  if (!is_there()) return std::optional<bool>();
  std::uint8_t byte = 0;
  const auto size = ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT);
  if (size == 1) return std::optional(byte == fuse::kLightLit);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return std::optional<bool>();
  return gone();
}

}  // namespace tillsyn::gate
