#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "relay/http/api.h"
#include "relay/http/share.h"
#include "relay/http/tls_stream.h"

namespace tillsyn::http {

namespace beast = boost::beast;

// A request whose handler may take its time, with the connection it came on.
struct Exchange {
  ApiRequest request;
  beast::http::request<beast::http::empty_body> head;
  TlsStream& stream;
  beast::flat_buffer& received;  // what came after what has been read of the request
  Share share;                   // what its jobs run under
  // The connection has turned out to be this provider's: null, or why it can have no place there.
  std::function<const char*(const std::string& provider)> belongs;
};

// Answers a request in its own time: on the loop, suspended while it waits. The body has been read. It ends early when
// the peer goes away (Exchange::stream, async_wait_readable).
using HeldHandler = std::function<asio::awaitable<ApiResponse>(Exchange&)>;

// Takes the connection over after the header: reads and writes as it likes until it returns, then the connection is
// closed. The body has not been read. Returning a response instead means that it has written nothing: it is sent as the
// answer.
using TakeOverHandler = std::function<asio::awaitable<std::optional<ApiResponse>>(Exchange&)>;

// A path's handler and its terms; `terms.handler` is unused when `handler` is not a plain one.
struct Endpoint {
  Route terms;
  std::variant<Handler, HeldHandler, TakeOverHandler> handler;
  std::vector<std::string> segments;
};

// The table of paths. Filled before the server starts. Threads: const calls are reentrant.
class Router {
 public:
  void add(Route route);
  void add(std::vector<Route> routes);
  void add_held(Route terms, HeldHandler handler);
  void add_take_over(Route terms, TakeOverHandler handler);

  struct Match {
    const Endpoint* endpoint = nullptr;         // null: no such path, or not with this method
    std::map<std::string, std::string> params;  // percent-decoded
    std::string allowed;                        // the methods of this path, "GET, POST"; empty if there is no such path
  };
  // `path` is the target's part before "?", still percent-encoded. A literal segment wins over a {param}.
  Match find(std::string_view method, std::string_view path) const;

  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

 private:
  std::vector<Endpoint> endpoints_;
};

// Target parts, percent-decoded (RFC 3986 §2.1). Malformed, "target": broken escapes, control characters, invalid
// UTF-8, a member given twice.
Result<std::string> percent_decode(std::string_view text);
Result<std::map<std::string, std::string>> parse_query(std::string_view query);

}  // namespace tillsyn::http
