#include "relay/http/connection.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <tuple>

namespace tillsyn::http {

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr auto kLinger = std::chrono::milliseconds(1000);
constexpr std::size_t kLingerBytes = 1024 * 1024;
constexpr std::string_view kStandingFields =
    "\r\nCache-Control: no-store"
    "\r\nX-Content-Type-Options: nosniff"
    "\r\nReferrer-Policy: no-referrer"
    "\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'"
    "\r\nStrict-Transport-Security: max-age=31536000"
    "\r\nCross-Origin-Resource-Policy: same-origin"
    "\r\nVary: Origin";

ApiResponse body_too_large() {
  return problem(413, "body_too_large", "Det som skickades är större än vad som får skickas hit.");
}

ApiResponse broken_off() {
  return problem(400, "malformed", "Anropets innehåll kom inte fram helt. Försök igen.");
}

ApiResponse header_problem(const error_code& error) {
  if (error == beast::http::error::header_limit) {
    return problem(431, "header_too_large", "Anropets huvud är större än 16 KiB. Skicka färre eller kortare fält.");
  }
  return problem(400, "malformed", "Anropet är inte giltig HTTP/1.1.");
}

}  // namespace

asio::awaitable<void> Connection::run() {
  if (!co_await shake_hands()) co_return;
  Next next = Next::kKeep;
  while (next == Next::kKeep && stream_.is_open()) next = co_await serve_one();
  co_await close_gently();
}

asio::awaitable<bool> Connection::shake_hands() {
  stream_.expires_after(server_.parts_.limits.handshake);
  auto [error] = co_await stream_.async_handshake(kAwait);
  if (error) co_return false;
  client_key_ = peer_key(stream_.ssl());
  const std::string provider = client_key_ ? server_.parts_.provider_of_link(*client_key_) : std::string();
  no_place_ = server_.admission_.classify(*ticket_, client_key_ ? Traffic::kHub : Traffic::kStaff, provider);
  co_return true;
}

// Feeds the parser what has been received; need_more when that was not all of it.
template <typename Parser>
error_code Connection::parse_received(Parser& parser) {
  error_code error;
  received_.consume(parser.put(received_.data(), error));
  return error;
}

// What has come: would_block if nothing has.
error_code Connection::receive_now() {
  static thread_local std::array<char, 16 * 1024> arrived;  // so that no connection keeps room for more than it has
  const auto [error, bytes] = stream_.read_now(asio::buffer(arrived));
  received_.commit(asio::buffer_copy(received_.prepare(bytes), asio::buffer(arrived, bytes)));
  return error;
}

// Waits for a request's first byte in peace, then for the rest of its header in haste.
asio::awaitable<bool> Connection::read_header(HeaderParser& parser) {
  const Limits& limits = server_.parts_.limits;
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  parser.body_limit(boost::none);  // the route's limit is known after the header
  stream_.expires_after(received_.size() == 0 ? limits.idle : limits.header);
  bool is_in_haste = received_.size() > 0;
  for (;;) {
    if (received_.size() > 0) {
      const auto parsed = parse_received(parser);
      if (parser.is_header_done()) co_return true;
      if (parsed && parsed != beast::http::error::need_more) {
        co_await send(header_problem(parsed), false);
        co_return false;
      }
      if (!std::exchange(is_in_haste, true)) stream_.expires_after(limits.header);
    }
    auto error = receive_now();
    if (error == asio::error::would_block) std::tie(error) = co_await stream_.async_wait_readable(kAwait);
    if (error) co_return false;
  }
}

asio::awaitable<Connection::Next> Connection::serve_one() {
  HeaderParser parser;
  origin_.reset();
  refused_ = nullptr;
  server_.admission_.is_idle(*ticket_);
  if (!co_await read_header(parser)) co_return Next::kClose;
  const auto began = std::chrono::steady_clock::now();
  // An unknown method is the sender's own text, which has no place in the log.
  const bool is_known = parser.get().method() != beast::http::verb::unknown;
  const std::string method = is_known ? std::string(parser.get().method_string()) : "-";
  const Route* route = nullptr;
  Answer answered = co_await answer(parser, route);
  const unsigned status = answered.response ? answered.response->status : 0;
  bool keep = false;
  if (answered.response) keep = co_await send(std::move(*answered.response), answered.keep_alive);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  const std::string_view pattern = route != nullptr ? std::string_view(route->pattern) : "-";
  log({method, pattern, status, took, ticket_->provider(), refused_ ? refused_ : ""}, route);
  co_return keep ? Next::kKeep : Next::kClose;
}

void Connection::log(const Served& request, const Route* route) const {
  server_.parts_.served(request);
  if (route != nullptr && route->is_routine && request.status == 200) return;
  const std::string refusal =
      request.refused.empty() ? std::string()
                              : fmt::format(" refused={} provider={}", request.refused,
                                            request.provider.empty() ? "-" : request.provider);
  spdlog::info("event=request method={} route={} status={} ms={}{}", request.method, request.pattern, request.status,
               request.took.count(), refusal);
}

asio::awaitable<Connection::Answer> Connection::answer(HeaderParser& parser, const Route*& route) {
  const bool keep_alive = parser.get().keep_alive();
  Judgement judged = judge(parser.get());
  if (auto* refusal = std::get_if<ApiResponse>(&judged)) {
    const bool has_body = parser.chunked() || parser.content_length().value_or(0) > 0;
    co_return Answer(std::move(*refusal), !has_body && no_place_ == nullptr && keep_alive);
  }
  auto& good = std::get<std::unique_ptr<Judged>>(judged);
  const Endpoint& endpoint = *good->match.endpoint;
  route = &endpoint.terms;
  Exchange exchange{std::move(good->request), {}, stream_, received_, std::move(good->share),
                    [this](const std::string& provider) { return server_.admission_.belongs(*ticket_, provider); }};
  good.reset();
  if (std::holds_alternative<TakeOverHandler>(endpoint.handler)) {
    exchange.head = parser.release();
    auto response = co_await hand_over(exchange, endpoint);
    co_return Answer(std::move(response), false);
  }
  auto refusal = co_await read_body(parser, endpoint.terms.max_body, exchange.request.body);
  if (exchange.share.provider.empty()) exchange.share.provider = endpoint.terms.turn_of(exchange.request);
  if (!refusal) refusal = refuse_queue(exchange.share, endpoint.terms.runs);  // others came while it was read
  if (refusal) co_return Answer(std::move(refusal), false);
  auto response = co_await hand_over(exchange, endpoint);
  co_return Answer(std::move(response), keep_alive);
}

// From here on the handler sets its own pace.
asio::awaitable<std::optional<ApiResponse>> Connection::hand_over(Exchange& exchange, const Endpoint& endpoint) {
  stream_.expires_never();
  server_.admission_.is_served(*ticket_);
  if (const auto* take_over = std::get_if<TakeOverHandler>(&endpoint.handler))
    co_return co_await (*take_over)(exchange);
  if (const auto* held = std::get_if<HeldHandler>(&endpoint.handler)) co_return co_await (*held)(exchange);
  const Handler& handler = std::get<Handler>(endpoint.handler);
  auto job = [&handler, request = std::move(exchange.request)] { return handler(request); };
  Workers& workers = workers_of(endpoint.terms.runs);
  co_return co_await workers.run(std::move(job), exchange.share);
}

asio::awaitable<std::optional<ApiResponse>> Connection::read_body(HeaderParser& parser, std::size_t max_body,
                                                                  std::string& body) {
  if (parser.content_length().value_or(0) > max_body) co_return body_too_large();
  if (parser.get()[beast::http::field::expect] == "100-continue" && !co_await say_continue()) {
    co_return problem(400, "malformed", "Anropet avbröts.");
  }
  StringParser reader(std::move(parser));
  reader.eager(true);
  reader.body_limit(max_body);
  bool is_timed = false;
  while (!reader.is_done()) {
    const auto parsed = parse_received(reader);
    if (parsed == beast::http::error::body_limit) co_return body_too_large();
    if (parsed && parsed != beast::http::error::need_more) co_return broken_off();
    if (reader.is_done()) break;
    if (!std::exchange(is_timed, true)) stream_.expires_after(server_.parts_.limits.body);
    auto error = receive_now();
    if (error == asio::error::would_block) std::tie(error) = co_await stream_.async_wait_readable(kAwait);
    if (error) co_return broken_off();
  }
  if (received_.size() == 0) received_.shrink_to_fit();
  body = std::move(reader.get().body());
  co_return std::nullopt;
}

asio::awaitable<bool> Connection::say_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(kContinue), kAwait);
  co_return !error;
}

asio::awaitable<bool> Connection::send(ApiResponse response, bool keep_alive) {
  const std::string text = on_the_wire(response, keep_alive);
  auto [error, bytes] = stream_.write_now(asio::buffer(text));
  if (error == asio::error::would_block || (!error && bytes < text.size())) {
    stream_.expires_after(server_.parts_.limits.write);
    std::tie(error, bytes) = co_await asio::async_write(stream_, asio::buffer(text) + bytes, kAwait);
  }
  co_return !error && keep_alive;
}

// RFC 9112 §4. Names and values are the handlers' own, never a peer's.
std::string Connection::on_the_wire(const ApiResponse& response, bool keep_alive) const {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text += std::string_view(beast::http::obsolete_reason(static_cast<beast::http::status>(response.status)));
  const auto field = [&text](std::string_view name, std::string_view value) {
    text.append("\r\n").append(name).append(": ").append(value);
  };
  if (!response.body.empty()) field("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) field(name, value);
  text += kStandingFields;
  if (origin_) {
    field("Access-Control-Allow-Origin", *origin_);
    field("Access-Control-Expose-Headers", "Location, Retry-After");
  }
  if (!keep_alive) field("Connection", "close");
  if (response.status != 204) field("Content-Length", std::to_string(response.body.size()));
  return text.append("\r\n\r\n").append(response.body);
}

// A peer that is still sending when we close would lose our answer to the reset; so it gets a moment to read it.
asio::awaitable<void> Connection::close_gently() {
  if (!stream_.is_open()) co_return;
  stream_.expires_after(kLinger);
  auto [error] = co_await stream_.async_shutdown(kAwait);
  received_.clear();
  received_.shrink_to_fit();
  std::array<char, 4096> discarded{};
  std::size_t total = 0;
  while (!error && total < kLingerBytes) {
    auto [failed, bytes] = co_await stream_.async_read_some(asio::buffer(discarded), kAwait);
    total += bytes;
    error = failed;
  }
  stream_.close();
}

}  // namespace tillsyn::http
