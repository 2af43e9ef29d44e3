#include "relay/sessions/live.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace tillsyn::sessions {

namespace {

namespace websocket = boost::beast::websocket;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kNameBytes = 15;  // of a token: enough to tell it from another
constexpr std::size_t kMaxTexts = 64;   // waiting for a page that does not read: it is gone

Error no_place() {
  return {Code::kUnavailable, "overloaded", "Er organisation har för många sidor öppna. Stäng någon och försök igen."};
}

}  // namespace

Live::Live(Sessions& owner, http::Exchange& exchange)
    : owner_(owner),
      exchange_(exchange),
      stream_(exchange.stream),
      socket_(stream_),
      news_(owner.parts().loop),
      recheck_(owner.parts().loop),
      patience_(owner.parts().loop) {
  socket_.read_message_max(kMaxMessageBytes);
  socket_.auto_fragment(false);
  socket_.set_option(websocket::stream_base::timeout{std::chrono::seconds(10), std::chrono::seconds(20), true});
}

Live::~Live() = default;

asio::awaitable<void> Live::run() {
  using namespace asio::experimental::awaitable_operators;
  auto [error] = co_await socket_.async_accept(exchange_.head, kAwait);
  if (error) co_return;
  stream_.expires_after(owner_.parts().times.authenticate);
  owner_.add(*this);
  co_await (read_all() && write_all() && recheck_session());
  owner_.remove(*this);
}

asio::awaitable<void> Live::read_all() {
  boost::beast::flat_buffer buffer;
  while (co_await read_one(buffer)) {
  }
  is_gone_ = true;
  end_view("viewer_gone");
  recheck_.cancel();
  news_.notify();
}

asio::awaitable<bool> Live::read_one(boost::beast::flat_buffer& buffer) {
  auto [error, bytes] = co_await socket_.async_read(buffer, kAwait);
  if (error) co_return false;
  const auto data = buffer.cdata();
  const ByteView message(static_cast<const std::uint8_t*>(data.data()), data.size());
  if (socket_.got_text()) {
    co_await take(text_of(message));
  } else {
    take_life(message);
  }
  buffer.consume(buffer.size());
  co_return true;
}

asio::awaitable<void> Live::write_all() {
  while (!is_gone_ && co_await write_one()) {
  }
  if (closes_ && !is_gone_) {
    // No braces in the call: GCC 12 destroys such a temporary twice in a coroutine.
    const websocket::close_reason reason(is_restarting_ ? websocket::close_code::service_restart
                                                        : websocket::close_code::policy_error);
    co_await socket_.async_close(reason, kAwait);
  }
  stream_.close();
}

// Texts before frames, and the end of a stream after the last of its frames.
asio::awaitable<bool> Live::write_one() {
  if (auto text = next_text()) co_return co_await write(true, asio::buffer(*text));
  if (closes_) co_return false;
  if (auto frame = frames_.pop()) co_return co_await write(false, asio::buffer(*frame));
  if (std::exchange(ends_after_frames_, false)) {
    const std::string text = format_end();
    co_return co_await write(true, asio::buffer(text));
  }
  co_await news_.wait();
  co_return true;
}

asio::awaitable<bool> Live::write(bool is_text, asio::const_buffer message) {
  socket_.text(is_text);
  auto [error, bytes] = co_await socket_.async_write(message, kAwait);
  co_return !error;
}

std::optional<std::string> Live::next_text() {
  if (!texts_.empty()) {
    std::string text = std::move(texts_.front());
    texts_.pop_front();
    return text;
  }
  if (closes_) return std::nullopt;
  if (std::exchange(orders_changed_, false)) return format_changed();
  if (changed_hubs_.empty()) return std::nullopt;
  std::vector<hubs::Hubs::Known> changed;
  for (auto& [id, known] : changed_hubs_) changed.push_back(std::move(known));
  changed_hubs_.clear();
  return format_hubs(changed);
}

asio::awaitable<void> Live::take(std::string_view text) {
  auto message = read_message(text);
  if (!message.ok()) {
    say_last(format_problem(message.error()));
  } else if (const auto* first = std::get_if<Authenticate>(&*message)) {
    co_await authenticate(first->token);
  } else if (!viewer_) {
    say_last(format_problem(refused("no_session", "Logga in först.")));
  } else if (const auto* view = std::get_if<StartView>(&*message)) {
    co_await start_view(view->order);
  } else {
    end_view("viewer_ended");
  }
}

// Until the page has shown a token it is a stranger.
http::Share Live::share(http::Urgency urgency, const std::string& token) const {
  const std::string provider = owner_.parts().provider_of_token(token);
  if (provider.empty()) return {urgency, "", exchange_.request.peer};
  return {urgency, provider, token.substr(0, kNameBytes)};
}

asio::awaitable<void> Live::authenticate(const std::string& token) {
  auto& desk = owner_.parts().desk;
  auto job = [&desk, &token] { return desk.authenticate(token); };
  const http::Share share = this->share(http::Urgency::kAct, token);
  auto viewer = co_await owner_.parts().store.run(std::move(job), share);
  if (is_gone_ || closes_) co_return;
  if (!viewer.ok()) co_return say_last(format_problem(viewer.error()));
  if (exchange_.belongs(viewer->provider) != nullptr) co_return say_last(format_problem(no_place()));
  stream_.expires_never();
  const bool is_first = !viewer_;
  viewer_ = *viewer;
  token_ = token;
  say(format_ready());
  if (is_first) say(format_hubs(owner_.parts().hubs.of_provider(viewer_->provider)));
}

// A session that has been logged out or has run out ends here too. An open page is nobody's activity; a running view
// is, while the page sends its signs of life.
asio::awaitable<void> Live::recheck_session() {
  while (!is_gone_) {
    recheck_.expires_after(owner_.parts().times.recheck);
    co_await recheck_.async_wait(kAwait);
    if (is_gone_ || !viewer_) continue;
    auto& desk = owner_.parts().desk;
    const bool is_active = std::exchange(is_watched_, false);
    auto job = [&desk, token = token_, is_active] {
      return is_active ? desk.authenticate(token) : desk.look_up(token);
    };
    const http::Share share = this->share(http::Urgency::kView, token_);
    auto viewer = co_await owner_.parts().store.run(std::move(job), share);
    if (viewer.ok() || viewer.error().code == Code::kIo) continue;
    end_view("session_ended");
    say_last(format_problem(viewer.error()));
  }
}

void Live::hub_changed(const hubs::Hubs::Known& hub) {
  if (!viewer_ || viewer_->provider != hub.hub.provider) return;
  changed_hubs_[hub.hub.id] = hub;
  news_.notify();
}

void Live::orders_changed() {
  orders_changed_ = true;
  news_.notify();
}

void Live::restarting() {
  const bool had_view = view_ != nullptr;
  end_view("relay_restarts");
  is_restarting_ = true;
  closes_ = true;
  if (had_view) say(format_end());
  news_.notify();
}

void Live::say(std::string text) {
  if (texts_.size() >= kMaxTexts) return stream_.close();
  texts_.push_back(std::move(text));
  news_.notify();
}

void Live::say_last(std::string text) {
  say(std::move(text));
  closes_ = true;
}

}  // namespace tillsyn::sessions
