#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>

#include "common/sframe/frame.h"
#include "relay/http/chunked.h"
#include "relay/http/router.h"
#include "relay/http/signal.h"
#include "relay/sessions/messages.h"
#include "relay/sessions/sessions.h"

namespace tillsyn::sessions {

// A hub's stream, one long chunked POST, and the viewer's signs of life on their way back in its response.
// Threads: bound to the loop.
class Upload {
 public:
  Upload(Sessions& owner, std::shared_ptr<View> view, http::Exchange& exchange);
  ~Upload();
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  // Forwards until the hub ends the stream, breaks it, or the viewer is gone.
  asio::awaitable<void> run();

  // From the viewer's side. Of lives that cannot be sent at once only the newest count: older ones are dropped.
  void life(std::span<const std::uint8_t> message);
  void viewer_gone();

 private:
  static constexpr std::size_t kMaxLives = 8;
  using Life = std::array<std::uint8_t, kLifeBytes>;

  asio::awaitable<void> read_frames();
  asio::awaitable<void> write_lives();
  asio::awaitable<bool> write(std::string text);
  Result<void> take(ByteView bytes);
  void end(const std::string& reason);

  Sessions& owner_;
  std::shared_ptr<View> view_;
  http::Exchange& exchange_;
  http::Signal news_;
  http::ChunkedDecoder chunks_;
  sframe::FrameDecoder frames_;
  std::deque<Life> lives_;
  bool has_ended_ = false;  // for whatever reason: nothing more is forwarded
};

}  // namespace tillsyn::sessions
