#include "relay/http/server.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "relay/http/connection.h"

namespace tillsyn::http {

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

Error cannot_listen(const std::string& address, const std::string& why) {
  return {Code::kUnavailable, "listen", "cannot listen on " + address + ": " + why};
}

// What limits count by. An IPv6 subscriber has 2^64 addresses, so there it is the network.
std::string peer_name(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace

Result<asio::ip::tcp::endpoint> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return cannot_listen(text, "the address must be IP:port");
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  if (error) return cannot_listen(text, "the address must be IP:port");
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end)
    return cannot_listen(text, "the port must be a number up to 65535");
  return asio::ip::tcp::endpoint(ip, port);
}

Result<std::uint16_t> Server::listen(const std::string& address) {
  TILLSYN_TRY(endpoint, parse_address(address));
  error_code error;
  const auto failed = [&] { return cannot_listen(address, error.message()); };
  if (acceptor_.open(endpoint.protocol(), error)) return failed();
  acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (acceptor_.bind(endpoint, error)) return failed();
  if (acceptor_.listen(asio::socket_base::max_listen_connections, error)) return failed();
  const auto port = acceptor_.local_endpoint(error).port();
  if (error) return failed();
  asio::co_spawn(parts_.loop, accept_all(), asio::detached);
  return port;
}

void Server::stop() {
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& close : closers_) close();
}

asio::awaitable<void> Server::accept_all() {
  Timer pause(parts_.loop.get_executor());
  while (acceptor_.is_open()) {
    Socket socket(parts_.loop.get_executor());
    auto [error] = co_await acceptor_.async_accept(socket, kAwait);
    if (!error) {
      start(std::move(socket));
    } else if (acceptor_.is_open()) {
      // Out of descriptors, most likely: trying again at once would only burn the processor.
      spdlog::warn("event=accept_failed error=\"{}\"", error.message());
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwait);
    }
  }
}

void Server::start(Socket socket) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const std::string peer = peer_name(remote.address());
  TlsStream stream(std::move(socket), parts_.tls);
  auto ticket = admission_.enter(peer, stream.closer());
  if (!ticket) return spdlog::warn("event=connection_refused reason=too_many");
  auto connection = std::make_shared<Connection>(*this, std::move(stream), peer, std::move(ticket));
  const auto place = closers_.insert(closers_.end(), connection->stream().closer());
  asio::co_spawn(parts_.loop, connection->run(), [this, connection, place](std::exception_ptr failure) {
    closers_.erase(place);
    if (failure) spdlog::error("event=connection_failed");  // our own mistake: nothing below throws in use
  });
}

}  // namespace tillsyn::http
