#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace tillsyn::ipc {

// The address of a Unix socket file; kIo "ipc" if the path is longer than unix(7) allows. Threads: reentrant.
Result<sockaddr_un> unix_address(const std::string& path);

inline const sockaddr* as_sockaddr(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

// A listening SOCK_SEQPACKET socket at `path`, non-blocking, with these permissions; a stale socket file is replaced.
// kIo "ipc" with the path when that fails.
Result<UniqueFd> listen_at(const std::string& path, mode_t mode);

// The next peer, or nullopt if nobody waits.
Result<std::optional<UniqueFd>> accept_from(int listener);

}  // namespace tillsyn::ipc
