#include "relay/watch/listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "relay/http/server.h"

namespace tillsyn::watch {

namespace {

namespace beast = boost::beast;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kPatience = std::chrono::seconds(2);
constexpr std::uint32_t kMaxHeader = 4096;

using Stream = beast::basic_stream<asio::ip::tcp, http::Executor>;
using Response = beast::http::response<beast::http::string_body>;

Error cannot_listen(const std::string& address, const std::string& why) {
  return {Code::kUnavailable, "listen", "cannot watch on " + address + ": " + why};
}

Response message_of(std::optional<http::ApiResponse> answer) {
  if (!answer) answer = http::problem(404, "no_such_path", "Only /livez, /readyz and /metrics are here.");
  Response message(static_cast<beast::http::status>(answer->status), 11);
  message.set(beast::http::field::content_type, answer->content_type);
  message.set(beast::http::field::cache_control, "no-store");
  message.keep_alive(false);
  message.body() = std::move(answer->body);
  message.prepare_payload();
  return message;
}

}  // namespace

Result<std::uint16_t> Listener::listen(const std::string& address) {
  TILLSYN_TRY(endpoint, http::parse_address(address));
  if (!endpoint.address().is_loopback()) return cannot_listen(address, "nobody logs in here, so it must be loopback");
  http::error_code error;
  const auto failed = [&] { return cannot_listen(address, error.message()); };
  if (acceptor_.open(endpoint.protocol(), error)) return failed();
  acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (acceptor_.bind(endpoint, error)) return failed();
  if (acceptor_.listen(asio::socket_base::max_listen_connections, error)) return failed();
  const auto port = acceptor_.local_endpoint(error).port();
  if (error) return failed();
  asio::co_spawn(loop_, accept_all(), asio::detached);
  return port;
}

void Listener::stop() {
  http::error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> Listener::accept_all() {
  while (acceptor_.is_open()) {
    http::Socket socket(loop_.get_executor());
    auto [error] = co_await acceptor_.async_accept(socket, kAwait);
    if (!error) asio::co_spawn(loop_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Listener::serve(http::Socket socket) {
  Stream stream(std::move(socket));
  stream.expires_after(kPatience);
  beast::flat_buffer received;
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(kMaxHeader);
  auto [unread, size] = co_await beast::http::async_read(stream, received, parser, kAwait);
  if (unread) co_return;
  std::optional<http::ApiResponse> answer;
  if (parser.get().method() == beast::http::verb::get) answer = co_await answer_(std::string(parser.get().target()));
  const Response message = message_of(std::move(answer));
  stream.expires_after(kPatience);
  auto [unsent, written] = co_await beast::http::async_write(stream, message, kAwait);
  http::error_code ignored;
  if (!unsent) stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace tillsyn::watch
