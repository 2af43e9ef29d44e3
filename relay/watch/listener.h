#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>

#include "common/base/result.h"
#include "relay/http/api.h"
#include "relay/http/tls_stream.h"

namespace tillsyn::watch {

namespace asio = boost::asio;

// Plain HTTP for those who watch the machine, on loopback alone: no TLS, no login, GET only, one answer a connection.
// Nothing that is answered here may be personal.
// Threads: bound to the loop.
class Listener {
 public:
  // The answer to a path ("/metrics"); nullopt: 404.
  using Answer = std::function<asio::awaitable<std::optional<http::ApiResponse>>(std::string path)>;

  Listener(asio::io_context& loop, Answer answer) : loop_(loop), answer_(std::move(answer)), acceptor_(loop) {}

  // Listens on "127.0.0.1:9464" or "[::1]:0". The port taken. Unavailable, "listen": not loopback, or taken.
  Result<std::uint16_t> listen(const std::string& address);

  // Accepts no more; what is under way ends within seconds.
  void stop();

 private:
  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(http::Socket socket);

  asio::io_context& loop_;
  Answer answer_;
  asio::basic_socket_acceptor<asio::ip::tcp, http::Executor> acceptor_;
};

}  // namespace tillsyn::watch
