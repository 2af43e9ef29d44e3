#pragma once

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "relay/http/admission.h"
#include "relay/http/limits.h"
#include "relay/http/router.h"
#include "relay/http/workers.h"

namespace tillsyn::http {

// One request that has been answered: what figures and logs may know of it.
struct Served {
  std::string_view method;   // "-" if it is none that HTTP knows
  std::string_view pattern;  // the route's; "-" without one
  unsigned status = 0;       // 0: the handler has answered on the wire itself
  std::chrono::milliseconds took{0};
  std::string_view provider;  // whose connection it came on; empty: a stranger's
  std::string_view refused;   // for which limit; empty: for none
};

// "127.0.0.1:0" or "[::]:443". Unavailable, reason "listen".
Result<asio::ip::tcp::endpoint> parse_address(const std::string& text);

// HTTP/1.1 over TLS, and nothing else, for the routes of one table.
//
// Every request is checked in this order, each failure an RFC 9457 problem: header within its limit and time, caller's
// and provider's rate, connection has a place, Origin (absent, or `is_app_origin`), path and method, caller's proof,
// not too much waiting for the store, body within the route's limit and time, still not too much waiting. A request
// refused before its body was read closes the connection. Preflights (OPTIONS with an Origin) are answered here. No
// cookie is read or set. Each request, but a routine one that went well, is one log line: method, the route's pattern,
// status and milliseconds, never a token, a name, an address or a query.
//
// Threads: the io_context's one thread owns everything; plain handlers run on `store` or `network`, as their route
// says.
class Server {
 public:
  struct Parts {
    asio::io_context& loop;
    SSL_CTX& tls;
    Workers& store;    // one thread
    Workers& network;  // a few: handlers that wait for another server
    const Router& router;
    std::function<bool(std::string_view origin)> is_app_origin;
    Limits limits;
    std::function<void(const Served&)> served = [](const Served&) {};  // called on the loop
    // The provider that has given this out; empty: none. Called on the loop.
    std::function<std::string(const std::string& token)> provider_of_token = [](const std::string&) { return ""; };
    std::function<std::string(const ByteArray<65>& key)> provider_of_link = [](const ByteArray<65>&) { return ""; };
  };

  explicit Server(Parts parts) : parts_(std::move(parts)), acceptor_(parts_.loop), admission_(parts_.limits) {}

  // Listens on "127.0.0.1:0" or "[::]:443". Unavailable, reason "listen", with the address and why not. The port taken.
  Result<std::uint16_t> listen(const std::string& address);

  // Accepts no more and closes every connection; their coroutines end as the loop runs on.
  void stop();

  const Admission& admission() const { return admission_; }

 private:
  friend class Connection;

  asio::awaitable<void> accept_all();
  void start(Socket socket);

  Parts parts_;
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor_;
  Admission admission_;
  std::list<std::function<void()>> closers_;  // one for each open connection
};

}  // namespace tillsyn::http
