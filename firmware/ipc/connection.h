#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "firmware/ipc/messages.h"
#include "firmware/ipc/rate_limiter.h"

namespace tillsyn::ipc {

enum class Sent {
  kSent,
  kWouldBlock,  // nothing was sent: socket full, memory short or own rate used up. Try again when `fd` is writable, but
                // not sooner than some milliseconds later, as the rate does not show in poll(2)
};

// One end of the socket between gate and link: whole messages, never blocking, bounded in length and rate both ways.
// Any error of `send` or `receive` ends the connection for good: destroy it; link connects anew after a pause. No
// message is answered for: what is in flight when a side dies is lost, and both sides begin again with hello. Threads:
// thread-bound, but one thread may send while another receives.
class Connection {
 public:
  // Takes a connected SOCK_SEQPACKET socket, makes it non-blocking and sizes its buffer for kMaxMessageBytes.
  // `self` is who we are. kUnavailable "ipc" when the kernel does not give that buffer.
  static Result<Connection> adopt(UniqueFd socket, Side self);

  // Link's way to gate. kUnavailable "ipc" while nobody listens.
  static Result<Connection> connect(const std::string& path);

  // A connected pair, {link's end, gate's end}.
  static Result<std::pair<Connection, Connection>> pair();

  int fd() const { return socket_.get(); }

  // Sends the body given in parts (so a frame needs no copy) as one message. kInternal "ipc" for what our side may not
  // say, kUnavailable "ipc" when the peer is gone.
  Result<Sent> send(MessageType type, std::initializer_list<ByteView> body_parts);
  Result<Sent> send(MessageType type, ByteView body) { return send(type, {body}); }
  Result<Sent> send(MessageType type, std::string_view text) { return send(type, {view_of(text)}); }

  // The next message, or nullopt if there is none yet. Its body is good until the next call. kMalformed "ipc" for what
  // the peer may not say (too long, cut off, wrong type), kRefused "ipc_rate" for more than it may say a second,
  // kUnavailable "ipc" when it is gone.
  Result<std::optional<Message>> receive();

 private:
  Connection(UniqueFd socket, Side self);

  UniqueFd socket_;
  Side self_;
  RateLimiter outgoing_;
  RateLimiter incoming_;
  std::unique_ptr<Bytes> buffer_;  // where a received message lies
};

// Gate's listening socket. Made before gate confines itself: afterwards only accept(2) is left to it.
class Listener {
 public:
  // Binds `path` (a stale socket file is replaced), mode 0660. kIo "ipc" with the path when that fails.
  static Result<Listener> open(const std::string& path);

  int fd() const { return socket_.get(); }

  // The next peer, or nullopt if nobody waits. Gate keeps the newest: an older connection is destroyed.
  Result<std::optional<Connection>> accept();

 private:
  explicit Listener(UniqueFd socket) : socket_(std::move(socket)) {}

  UniqueFd socket_;
};

}  // namespace tillsyn::ipc
