#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "relay/http/router.h"
#include "relay/http/server.h"

namespace tillsyn::http {

// One connection, from handshake to close.
class Connection {
 public:
  Connection(Server& server, TlsStream stream, std::string peer, std::unique_ptr<Admission::Ticket> ticket)
      : server_(server), stream_(std::move(stream)), peer_(std::move(peer)), ticket_(std::move(ticket)) {}

  const TlsStream& stream() const { return stream_; }

  asio::awaitable<void> run();

 private:
  using HeaderParser = beast::http::request_parser<beast::http::empty_body>;
  using Head = beast::http::request<beast::http::empty_body>;
  using StringParser = beast::http::request_parser<beast::http::string_body>;
  struct Judged {
    ApiRequest request;
    Router::Match match;
    Share share;
  };
  enum class Next { kKeep, kClose };
  // Constructed, not filled: GCC 12 destroys aggregate temporaries of a coroutine twice.
  struct Answer {
    Answer(std::optional<ApiResponse> what, bool keep) : response(std::move(what)), keep_alive(keep) {}
    std::optional<ApiResponse> response;  // none: the handler has answered on the wire itself
    bool keep_alive;
  };

  asio::awaitable<bool> shake_hands();
  asio::awaitable<bool> read_header(HeaderParser& parser);
  asio::awaitable<Next> serve_one();
  asio::awaitable<Answer> answer(HeaderParser& parser, const Route*& route);
  asio::awaitable<std::optional<ApiResponse>> hand_over(Exchange& exchange, const Endpoint& endpoint);
  asio::awaitable<std::optional<ApiResponse>> read_body(HeaderParser& parser, std::size_t max_body, std::string& body);
  asio::awaitable<bool> say_continue();
  asio::awaitable<bool> send(ApiResponse response, bool keep_alive);
  template <typename Parser>
  error_code parse_received(Parser& parser);
  error_code receive_now();
  asio::awaitable<void> close_gently();

  // The request if it may be served, or the answer instead. By pointer: a request that is held shall not hold this too.
  using Judgement = std::variant<std::unique_ptr<Judged>, ApiResponse>;
  Judgement judge(const Head& head);
  Judgement judge_known(std::unique_ptr<Judged> judged, const Head& head);
  Share share_of(const ApiRequest& request, const Router::Match& match) const;
  Share stranger(Urgency urgency) const;
  ApiResponse overloaded(Refusal why);
  std::optional<ApiResponse> refuse_rate(const Share& share, Traffic traffic);
  std::optional<ApiResponse> refuse_queue(const Share& share, Runs runs);
  std::optional<ApiResponse> refuse_origin(const ApiRequest& request);
  std::optional<ApiResponse> refuse_caller(const Judged& judged) const;
  ApiResponse answer_preflight(const Router::Match& match) const;
  Workers& workers_of(Runs runs) const;
  void log(const Served& request, const Route* route) const;
  std::string on_the_wire(const ApiResponse& response, bool keep_alive) const;

  Server& server_;
  TlsStream stream_;
  std::string peer_;
  std::unique_ptr<Admission::Ticket> ticket_;
  std::optional<ByteArray<65>> client_key_;
  Refusal no_place_ = nullptr;  // why the connection cannot stay
  beast::flat_buffer received_;
  // Of the request under way:
  std::optional<std::string> origin_;  // once found good
  Refusal refused_ = nullptr;          // for which limit
};

}  // namespace tillsyn::http
