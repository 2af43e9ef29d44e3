#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "firmware/ipc/address.h"
#include "firmware/ipc/connection.h"

namespace tillsyn::ipc {

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return Error{Code::kIo, "ipc", "socket path: " + path};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<UniqueFd> listen_at(const std::string& path, mode_t mode) {
  const auto failed = [&] { return Error{Code::kIo, "ipc", path + ": " + std::strerror(errno)}; };
  TILLSYN_TRY(address, unix_address(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return failed();
  struct stat existing {};
  if (lstat(path.c_str(), &existing) == 0 && S_ISSOCK(existing.st_mode)) unlink(path.c_str());
  // The file is born closed to everybody; chmod opens it to those it is for.
  const mode_t before = umask(0777);
  const int bound = bind(socket.get(), as_sockaddr(address), sizeof address);
  umask(before);
  if (bound != 0 || chmod(path.c_str(), mode) != 0 || listen(socket.get(), 4) != 0) return failed();
  return socket;
}

Result<std::optional<UniqueFd>> accept_from(int listener) {
  UniqueFd peer(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (peer.is_open()) return std::optional<UniqueFd>(std::move(peer));
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return std::optional<UniqueFd>();
  return Error{Code::kUnavailable, "ipc", std::string("accept: ") + std::strerror(errno)};
}

Result<Listener> Listener::open(const std::string& path) {
  TILLSYN_TRY(socket, listen_at(path, 0660));
  return Listener(std::move(socket));
}

Result<std::optional<Connection>> Listener::accept() {
  TILLSYN_TRY(peer, accept_from(socket_.get()));
  if (!peer) return std::optional<Connection>();
  TILLSYN_TRY(connection, Connection::adopt(std::move(*peer), Side::kGate));
  return std::optional<Connection>(std::move(connection));
}

}  // namespace tillsyn::ipc
