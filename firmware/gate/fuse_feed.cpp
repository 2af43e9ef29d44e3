#include "firmware/gate/fuse_feed.h"

#include <sys/socket.h>

#include <cerrno>

#include "firmware/fuse/feed.h"

namespace tillsyn::gate {
namespace {

Error gone() { return {Code::kUnavailable, "fuse", "the fuse has died"}; }

}  // namespace

Result<void> FuseFeed::ask_light() {
  if (::send(fd_.get(), &fuse::kLightWanted, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) return {};
  // A fuse that does not read does not light either; nobody waits for it for long.
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
  return gone();
}

Result<std::optional<bool>> FuseFeed::answer() {
  if (!is_there()) return std::optional<bool>();
  std::uint8_t byte = 0;
  const auto size = ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT);
  if (size == 1) return std::optional(byte == fuse::kLightLit);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return std::optional<bool>();
  return gone();
}

}  // namespace tillsyn::gate
