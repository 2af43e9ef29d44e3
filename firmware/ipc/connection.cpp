#include "firmware/ipc/connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "firmware/ipc/address.h"

namespace tillsyn::ipc {
namespace {

constexpr int kWantedBuffer = 512 * 1024;
constexpr std::size_t kKernelReserve = 64;  // unix(7) sockets refuse the last 32 bytes of the buffer

Error unavailable(const std::string& what) { return {Code::kUnavailable, "ipc", what + ": " + std::strerror(errno)}; }

bool would_block() { return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR; }

Result<void> size_buffer(int socket) {
  int got = 0;
  socklen_t length = sizeof got;
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kWantedBuffer, sizeof kWantedBuffer);
  if (getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &got, &length) != 0) return unavailable("send buffer");
  if (got < 0 || static_cast<std::size_t>(got) < kMaxMessageBytes + kKernelReserve) {
    return Error{Code::kUnavailable, "ipc", "send buffer too small; raise net.core.wmem_max to 212992"};
  }
  return {};
}

}  // namespace

Connection::Connection(UniqueFd socket, Side self)
    : socket_(std::move(socket)),
      self_(self),
      outgoing_(1),
      incoming_(2),
      buffer_(std::make_unique<Bytes>(kMaxMessageBytes)) {}

Result<Connection> Connection::adopt(UniqueFd socket, Side self) {
  const int flags = fcntl(socket.get(), F_GETFL);
  if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) return unavailable("socket");
  TILLSYN_CHECK(size_buffer(socket.get()));
  return Connection(std::move(socket), self);
}

Result<Connection> Connection::connect(const std::string& path) {
  TILLSYN_TRY(address, unix_address(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return unavailable("socket");
  if (::connect(socket.get(), as_sockaddr(address), sizeof address) != 0) return unavailable("no gate at " + path);
  return adopt(std::move(socket), Side::kLink);
}

Result<std::pair<Connection, Connection>> Connection::pair() {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0) return unavailable("socket pair");
  UniqueFd link_fd(fds[0]);
  UniqueFd gate_fd(fds[1]);
  TILLSYN_TRY(link, adopt(std::move(link_fd), Side::kLink));
  TILLSYN_TRY(gate, adopt(std::move(gate_fd), Side::kGate));
  return std::pair<Connection, Connection>(std::move(link), std::move(gate));
}

Result<Sent> Connection::send(MessageType type, std::initializer_list<ByteView> body_parts) {
  constexpr std::size_t kMaxParts = 3;
  const auto add = [](std::size_t sum, ByteView part) { return sum + part.size(); };
  const std::size_t body_bytes = std::accumulate(body_parts.begin(), body_parts.end(), std::size_t{0}, add);
  TILLSYN_CHECK(check_outgoing(type, body_bytes, self_));
  if (body_parts.size() > kMaxParts) return Error{Code::kInternal, "ipc", "too many parts"};
  if (!outgoing_.take(1 + body_bytes, std::chrono::steady_clock::now())) return Sent::kWouldBlock;

  auto type_byte = static_cast<std::uint8_t>(type);
  std::array<iovec, 1 + kMaxParts> pieces{iovec{&type_byte, 1}};
  std::size_t count = 1;
  for (const ByteView part : body_parts) pieces[count++] = {const_cast<std::uint8_t*>(part.data()), part.size()};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  if (sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return Sent::kSent;
  return would_block() ? Result<Sent>(Sent::kWouldBlock) : Result<Sent>(unavailable("peer gone"));
}

Result<std::optional<Message>> Connection::receive() {
  iovec piece{buffer_->data(), buffer_->size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  const ssize_t got = recvmsg(socket_.get(), &header, MSG_DONTWAIT);
  if (got < 0 && would_block()) return std::optional<Message>();
  if (got < 0) return unavailable("peer gone");
  if (got == 0) return Error{Code::kUnavailable, "ipc", "peer has closed"};
  if ((header.msg_flags & MSG_TRUNC) != 0) return malformed("ipc", "message longer than any may be");
  const auto bytes = static_cast<std::size_t>(got);
  if (!incoming_.take(bytes, std::chrono::steady_clock::now()))
    return refused("ipc_rate", "peer says too much a second");
  TILLSYN_TRY(message, decode({buffer_->data(), bytes}, self_ == Side::kLink ? Side::kGate : Side::kLink));
  return std::optional<Message>(message);
}

}  // namespace tillsyn::ipc
