#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "common/sframe/sframe.h"
#include "firmware/board/clock.h"
#include "firmware/camera/camera.h"
#include "firmware/gate/frame_queue.h"
#include "firmware/gate/lifeline.h"
#include "firmware/gate/pace.h"
#include "firmware/ipc/connection.h"

namespace tillsyn::gate {

// What a view is about; all but `until` stays as it is while the view runs.
struct ViewFacts {
  StreamId stream{};
  orders::Hash order{};
  std::string resident;
  std::string camera;
  std::string group;
  orders::Person viewer;
  std::uint64_t peer = 0;  // the link it goes through (LinkPort::peer)
  Instant until;           // no picture of this instant or later leaves the hub; at first what the answer says
  bool is_test = false;    // the install team's
};

// A camera, an encoder, a key and a viewer. Pictures go to link encrypted, in order, none at or past `until`; when the
// way is slow, late ones are left out up to the next key frame, so that what is seen is never long ago. CTR is given to
// what is really sent, so the viewer sees it rise by one.
//
// It does not decide how long it may run: the owner judges, and destroys it. Threads: thread-bound.
class RunningView {
 public:
  // The keys are good for this view alone; `stream_key` is 32 bytes.
  RunningView(ViewFacts facts, crypto::Secret stream_key, crypto::Secret life_key, board::Milliseconds started);

  // Opens the camera. Errors as Camera::open.
  Result<void> start(camera::Camera& camera, camera::Caption caption, std::function<std::string()> utc_text);

  const ViewFacts& facts() const { return facts_; }
  bool is_started() const { return view_ != nullptr; }
  int fd() const { return queue_.fd(); }

  // A sign of life for this stream; wrong ones are refused and change nothing.
  Result<void> hear(const Life& life, board::Milliseconds now);
  bool is_viewer_lost(board::Milliseconds now) const { return lifeline_.is_lost(now); }

  // The camera's first failure since the start, if any.
  std::optional<Error> failure() { return view_ ? view_->failure() : std::nullopt; }

  // Brings `until` nearer: an order has come after which the camera closes earlier than the answer said.
  void end_by(Instant until) { facts_.until = std::min(facts_.until, until); }

  // Sends what waits, as far as link takes it. An error means that link is gone.
  Result<ipc::Sent> send(ipc::Connection& link, const board::ClockReading& clock);

  // Closes the camera, then sends the last frame of the stream, if link takes it.
  Result<void> finish(ipc::Connection* link, const board::ClockReading& clock);

 private:
  struct Heard {
    std::uint64_t counter = 0;
    board::Milliseconds at{0};
  };

  bool is_wanted(const camera::AccessUnit& unit, const board::ClockReading& clock);
  void skip_to_key_frame();
  void set_pace(unsigned before);
  std::uint64_t life_at(std::uint64_t capture_ms);
  Result<Bytes> seal(std::uint8_t flags, std::uint64_t capture_ms, ByteView picture);
  Result<ipc::Sent> send_sealed(ipc::Connection& link);

  ViewFacts facts_;
  sframe::Sealer sealer_;
  Lifeline lifeline_;
  Pace pace_;
  std::deque<Heard> heard_;
  std::uint64_t next_ctr_ = 0;
  Bytes sealed_;  // a frame that has its CTR and is not sent yet
  bool needs_key_frame_ = true;
  FrameQueue queue_;
  std::unique_ptr<camera::View> view_;  // last: delivers into the queue
};

}  // namespace tillsyn::gate
