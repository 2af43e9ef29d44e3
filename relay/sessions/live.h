#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "relay/http/signal.h"
#include "relay/http/tls_stream.h"
#include "relay/sessions/frame_queue.h"
#include "relay/sessions/messages.h"
#include "relay/sessions/sessions.h"

namespace tillsyn::sessions {

// One staff page's WebSocket: who holds it, the one view it may have, and what is to be sent to it.
// Threads: bound to the loop.
class Live : public std::enable_shared_from_this<Live> {
 public:
  Live(Sessions& owner, http::Exchange& exchange);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  // Speaks with the page until one of the two goes. The exchange's head is the upgrade request.
  asio::awaitable<void> run();

  const std::optional<Viewer>& viewer() const { return viewer_; }

  // What others tell the page.
  void hub_changed(const hubs::Hubs::Known& hub);
  void orders_changed();
  void restarting();
  void answered(const Json& envelope, const std::optional<std::string>& stream);
  void frame(const sframe::FrameView& frame);
  void stream_began();
  void stream_ended(const std::string& reason);

 private:
  using Socket = boost::beast::websocket::stream<http::TlsStream&>;

  asio::awaitable<void> read_all();
  asio::awaitable<void> write_all();
  asio::awaitable<void> recheck_session();
  asio::awaitable<bool> read_one(boost::beast::flat_buffer& buffer);
  asio::awaitable<bool> write_one();
  asio::awaitable<bool> write(bool is_text, asio::const_buffer message);
  std::optional<std::string> next_text();

  asio::awaitable<void> take(std::string_view text);
  asio::awaitable<void> authenticate(const std::string& token);
  asio::awaitable<void> start_view(const std::string& order);
  void take_life(ByteView message);
  http::Share share(http::Urgency urgency, const std::string& token) const;

  void offer();
  void await_hub(const char* complaint);
  void fail_view(const Error& error);
  void end_view(const char* reason);
  void forget_view();
  void say(std::string text);
  void say_last(std::string text);

  Sessions& owner_;
  http::Exchange& exchange_;
  http::TlsStream& stream_;
  Socket socket_;
  http::Signal news_;
  http::Timer recheck_;
  http::Timer patience_;  // with the hub, for the view under way
  std::optional<Viewer> viewer_;
  std::string token_;
  std::shared_ptr<View> view_;

  std::deque<std::string> texts_;
  std::map<std::string, hubs::Hubs::Known> changed_hubs_;
  bool orders_changed_ = false;
  FrameQueue frames_;
  bool is_watched_ = false;  // a sign of life has come since the session was last looked up
  bool ends_after_frames_ = false;
  bool closes_ = false;  // after what is to be said
  bool is_restarting_ = false;
  bool is_gone_ = false;
};

}  // namespace tillsyn::sessions
