#pragma once

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <string>

#include "tests/unit/http/tls_kit.h"

namespace tillsyn::test {

// A staff page's WebSocket, blocking.
class Page {
 public:
  explicit Page(std::uint16_t port, const std::string& origin = RunningServer::kAppOrigin)
      : client_(port), socket_(client_.stream()) {
    socket_.set_option(beast::websocket::stream_base::decorator([&](beast::websocket::request_type& request) {
      if (!origin.empty()) request.set(beast::http::field::origin, origin);
    }));
    beast::websocket::response_type response;
    socket_.handshake(response, "localhost", "/v1/live", error_);
    status_ = response.result_int();
  }

  unsigned status() const { return status_; }

  void say(const std::string& text) {
    socket_.text(true);
    socket_.write(asio::buffer(text));
  }
  void send_binary(const Bytes& bytes) {
    socket_.binary(true);
    socket_.write(asio::buffer(bytes));
  }

  // The next message, whatever it is; empty when the socket is closed.
  struct Message {
    bool is_text = false;
    std::string bytes;
    Json json() const { return *parse_json(bytes); }
  };
  Message read() {
    beast::flat_buffer buffer;
    socket_.read(buffer, error_);
    if (error_) return {};
    return {socket_.got_text(), beast::buffers_to_string(buffer.data())};
  }
  // The next text of this type; others are passed over.
  Json read_text(const std::string& type) {
    for (;;) {
      const Message message = read();
      if (message.bytes.empty()) return nullptr;
      if (message.is_text && message.json()["type"] == type) return message.json();
    }
  }
  std::string read_frame() {
    for (;;) {
      const Message message = read();
      if (message.bytes.empty() || !message.is_text) return message.bytes;
    }
  }
  bool is_closed() {
    while (!error_) read();
    return true;
  }
  void close() { socket_.close(beast::websocket::close_code::normal, error_); }

 private:
  Client client_;
  boost::system::error_code error_;
  beast::websocket::stream<ClientStream&> socket_;
  unsigned status_ = 0;
};

}  // namespace tillsyn::test
