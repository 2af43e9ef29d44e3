#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "firmware/ipc/rate_limiter.h"
#include "firmware/link/chunk_reader.h"
#include "firmware/link/frame_queue.h"
#include "firmware/link/http.h"
#include "firmware/link/time.h"

namespace tillsyn::link {

// One stream on its way to the relay: a long chunked POST whose response brings the viewer's signs of life while it
// runs. Threads: thread-bound; callbacks run inside Http::turn.
class Upload : public Transfer {
 public:
  // `stream` is the stream's 16 bytes. Each sign of life goes to `on_life`, 64 bytes; of a flood the rest is dropped.
  Upload(Http& http, const Relay& relay, ByteView stream, std::function<void(ByteView)> on_life);

  void push(ByteView frame, TimePoint now);

  // Gate has ended the stream: sends what waits, then the end of the body.
  void finish(TimePoint now);

  // Takes in what the relay has said; to be called each turn.
  void look();

  // Over, for whatever reason: viewer gone, refused, connection lost, or finished and answered (or not, within 5 s).
  bool has_ended(TimePoint now) const;
  bool was_finished() const { return finished_at_.has_value(); }

  // For the log.
  const std::string& reason() const { return reason_; }
  std::uint64_t dropped_frames() const { return queue_.dropped(); }

  void finished(Result<long> status) override;

 private:
  static std::size_t on_wanted(char* out, std::size_t, std::size_t size, void* self);
  static std::size_t on_reply(char* data, std::size_t, std::size_t size, void* self);
  bool take_reply(ByteView bytes);
  void take_life(ByteView data);
  void resume();

  HeaderList headers_;
  std::function<void(ByteView)> on_life_;
  FrameQueue queue_;
  ChunkReader chunks_;
  Bytes life_;
  ipc::TokenBucket lives_{{20, 20}};
  std::optional<TimePoint> finished_at_;
  std::string reason_;
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace tillsyn::link
