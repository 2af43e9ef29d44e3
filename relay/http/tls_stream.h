#pragma once

#include <openssl/ssl.h>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <memory>
#include <span>

#include "relay/http/tls_context.h"

namespace tillsyn::http {

namespace asio = boost::asio;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

// TLS straight on a socket: OpenSSL reads and writes the descriptor itself (SSL_set_fd) and we only wait until it can,
// so an idle connection holds no buffer of ours. Beast's AsyncStream, good under beast::http and beast::websocket.
//
// One read and one write may be under way at a time, and a handshake or shutdown alone. A deadline, once set, holds for
// whatever is under way until it is set anew: when it passes the socket is closed and everything ends with an error.
// Threads: bound to its executor's one thread.
class TlsStream {
 public:
  using executor_type = Executor;

  // Takes the socket and makes it non-blocking. `context` must outlive the handshake.
  TlsStream(Socket socket, SSL_CTX& context);

  executor_type get_executor() const { return core_->socket.get_executor(); }
  const SSL& ssl() const { return *core_->ssl; }

  void expires_after(std::chrono::milliseconds duration);
  void expires_never();

  // Closes the socket now, without a word to the peer. Safe in every state.
  void close();
  bool is_open() const { return core_->socket.is_open(); }

  // A way to close the connection from elsewhere; does not keep it alive.
  std::function<void()> closer() const;

  template <typename Token>
  auto async_handshake(Token&& token) {
    return start<void(error_code)>([](Core& core) { return step(core, SSL_accept(core.ssl.get())); }, token);
  }

  // Tells the peer that nothing more follows (close_notify), without waiting for its answer.
  template <typename Token>
  auto async_shutdown(Token&& token) {
    return start<void(error_code)>(
        [](Core& core) {
          const int done = SSL_shutdown(core.ssl.get());
          return done >= 0 ? Step{Wait::kNone, {}, 0} : step(core, done);
        },
        token);
  }

  // Completes when there is something to read, or the peer is gone (an error). Reads nothing.
  template <typename Token>
  auto async_wait_readable(Token&& token) {
    return start<void(error_code)>(
        [](Core& core) {
          char byte = 0;
          return step(core, SSL_peek(core.ssl.get(), &byte, 1));
        },
        token);
  }

  // What can be done at once: bytes read or written, would_block, or how the connection has ended.
  struct Done {
    error_code error;
    std::size_t bytes = 0;
  };
  Done read_now(asio::mutable_buffer buffer) { return done_now(read_step(*core_, buffer)); }
  Done write_now(asio::const_buffer data) { return done_now(write_bytes(*core_, data.data(), data.size())); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return start<void(error_code, std::size_t)>([buffers](Core& core) { return read_step(core, first_of(buffers)); },
                                                token);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return start<void(error_code, std::size_t)>([buffers](Core& core) { return write_step(core, buffers); }, token);
  }

 private:
  enum class Wait { kNone, kRead, kWrite };
  struct Step {
    Wait wait = Wait::kNone;
    error_code error;
    std::size_t bytes = 0;
  };
  struct Core {
    Core(Socket taken, SSL_CTX& context);
    Socket socket;
    Timer timer;
    Ssl ssl;
    unsigned deadline = 0;  // which of the deadlines set is the one in force
  };
  using Scratch = std::array<std::uint8_t, 16 * 1024>;  // one TLS record

  static Step step(Core& core, int outcome);
  static Done done_now(const Step& step) {
    return {step.wait == Wait::kNone ? step.error : error_code(asio::error::would_block), step.bytes};
  }
  static Step read_step(Core& core, asio::mutable_buffer buffer);
  static Step write_bytes(Core& core, const void* data, std::size_t size);
  static Scratch& scratch();

  // The first buffer with room in it.
  template <typename Buffers>
  static asio::mutable_buffer first_of(const Buffers& buffers) {
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
      const asio::mutable_buffer buffer(*it);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }

  // One record: a large first buffer as it lies, else as many small ones as fit, gathered, so that a message's head and
  // body do not become a record each.
  template <typename Buffers>
  static Step write_step(Core& core, const Buffers& buffers) {
    const auto end = asio::buffer_sequence_end(buffers);
    auto it = asio::buffer_sequence_begin(buffers);
    while (it != end && asio::const_buffer(*it).size() == 0) ++it;
    if (it == end) return {};
    const asio::const_buffer first(*it);
    if (first.size() >= scratch().size() || std::next(it) == end) return write_bytes(core, first.data(), first.size());
    const std::size_t gathered = asio::buffer_copy(asio::buffer(scratch()), buffers);
    return write_bytes(core, scratch().data(), gathered);
  }

  template <typename Signature, typename Try>
  struct Operation {
    std::shared_ptr<Core> core;
    Try attempt;
    bool waited = false;  // completing within the initiating call is not allowed
    bool done = false;
    Step result{};

    template <typename Self>
    void operator()(Self& self, error_code error = {}) {
      if (!done) {
        if (error) {
          result = {Wait::kNone, error, 0};
        } else if (!core->socket.is_open()) {
          result = {Wait::kNone, asio::error::operation_aborted, 0};
        } else {
          result = attempt(*core);
        }
        if (result.wait != Wait::kNone) return wait(self);
        done = true;
        if (!waited) return asio::post(core->socket.get_executor(), std::move(self));
      }
      if constexpr (std::is_same_v<Signature, void(error_code)>) {
        self.complete(result.error);
      } else {
        self.complete(result.error, result.bytes);
      }
    }

    template <typename Self>
    void wait(Self& self) {
      waited = true;
      const auto what = result.wait == Wait::kRead ? Socket::wait_read : Socket::wait_write;
      auto& socket = core->socket;
      socket.async_wait(what, std::move(self));
    }
  };

  template <typename Signature, typename Try, typename Token>
  auto start(Try attempt, Token& token) {
    return asio::async_compose<Token, Signature>(Operation<Signature, Try>{core_, std::move(attempt)}, token,
                                                 core_->socket);
  }

  std::shared_ptr<Core> core_;
};

// What beast::websocket asks of a stream that is not its own (beast/websocket/teardown.hpp, core/stream_traits.hpp).
void teardown(boost::beast::role_type role, TlsStream& stream, error_code& error);
void beast_close_socket(TlsStream& stream);

template <typename Handler>
void async_teardown(boost::beast::role_type, TlsStream& stream, Handler&& handler) {
  stream.async_shutdown(std::forward<Handler>(handler));
}

}  // namespace tillsyn::http
