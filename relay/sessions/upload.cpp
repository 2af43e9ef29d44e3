#include "relay/sessions/upload.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "relay/sessions/live.h"

namespace tillsyn::sessions {

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadBytes = 16 * 1024;  // one TLS record
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/octet-stream\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Cache-Control: no-store\r\n"
    "Connection: close\r\n\r\n";

}  // namespace

Upload::Upload(Sessions& owner, std::shared_ptr<View> view, http::Exchange& exchange)
    : owner_(owner), view_(std::move(view)), exchange_(exchange), news_(owner.parts().loop) {
  view_->upload = this;
}

Upload::~Upload() {
  if (view_->upload == this) view_->upload = nullptr;
}

asio::awaitable<void> Upload::run() {
  using namespace asio::experimental::awaitable_operators;
  if (const auto viewer = view_->viewer.lock()) viewer->stream_began();
  co_await (read_frames() && write_lives());
}

asio::awaitable<void> Upload::read_frames() {
  auto& received = exchange_.received;
  const auto early = received.cdata();
  auto taken = take(ByteView(static_cast<const std::uint8_t*>(early.data()), early.size()));
  received.consume(received.size());
  Bytes buffer(kReadBytes);
  while (taken.ok() && !has_ended_ && !chunks_.finished()) {
    exchange_.stream.expires_after(owner_.parts().times.upload_idle);
    auto [error, bytes] = co_await exchange_.stream.async_read_some(asio::buffer(buffer), kAwait);
    if (error) co_return end("hub_gone");
    taken = take(ByteView(buffer).first(bytes));
  }
  if (!taken.ok()) co_return end(taken.error().reason);
  end(frames_.at_boundary() ? "hub_ended" : "hub_gone");
}

Result<void> Upload::take(ByteView bytes) {
  const auto viewer = view_->viewer.lock();
  if (!viewer || has_ended_) return {};
  const auto deliver = [&](const sframe::FrameView& frame) { viewer->frame(frame); };
  return chunks_.feed(bytes, [&](ByteView piece) { return frames_.feed(piece, deliver); });
}

// Either side's end, told to the other at once.
void Upload::end(const std::string& reason) {
  if (has_ended_) return;
  has_ended_ = true;
  view_->upload = nullptr;
  if (const auto viewer = view_->viewer.lock()) viewer->stream_ended(reason);
  news_.notify();
}

void Upload::viewer_gone() {
  has_ended_ = true;
  view_->upload = nullptr;
  news_.notify();
}

void Upload::life(std::span<const std::uint8_t> message) {
  Life life{};
  std::copy(message.begin(), message.end(), life.begin());
  if (lives_.size() >= kMaxLives) lives_.pop_front();
  lives_.push_back(life);
  news_.notify();
}

asio::awaitable<void> Upload::write_lives() {
  bool is_open = co_await write(std::string(kHead));
  while (is_open && !has_ended_) {
    std::string chunks;
    for (const Life& life : lives_) chunks += "40\r\n" + text_of(life) + "\r\n";
    lives_.clear();
    if (!chunks.empty()) {
      is_open = co_await write(std::move(chunks));
    } else {
      co_await news_.wait();
    }
  }
  if (!is_open) co_return exchange_.stream.close();
  if (!co_await write(std::string(kLastChunk))) co_return exchange_.stream.close();
  co_await exchange_.stream.async_shutdown(kAwait);
  // What the hub still sends is read until it has heard; then the reader ends.
  exchange_.stream.expires_after(owner_.parts().times.linger);
}

asio::awaitable<bool> Upload::write(std::string text) {
  auto [error, bytes] = co_await asio::async_write(exchange_.stream, asio::buffer(text), kAwait);
  co_return !error;
}

}  // namespace tillsyn::sessions
