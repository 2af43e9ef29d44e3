#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "firmware/board/clock.h"
#include "firmware/board/key_store.h"
#include "firmware/camera/camera.h"
#include "firmware/gate/challenges.h"
#include "firmware/gate/fuse_feed.h"
#include "firmware/gate/home.h"
#include "firmware/gate/link_port.h"
#include "firmware/gate/running_view.h"

namespace tillsyn::gate {

using Cameras = std::map<std::string, std::unique_ptr<camera::Camera>, std::less<>>;  // by id

// From an offer to the end of a view: judges, asks the fuse for light, opens the camera, answers, and keeps judging.
// Holds no flag that says "open": what runs is judged anew at every `judge_running`, and ends when the guard says no.
//
// A failure is kIo: nothing has then been acknowledged, and the owner calls `abandon`. Threads: thread-bound.
class ViewDesk {
 public:
  static constexpr std::size_t kMaxViews = 3;
  static constexpr std::chrono::milliseconds kLightPatience{2000};
  static constexpr std::chrono::minutes kTestLength{10};

  struct Parts {
    const board::KeyStore& keys;
    board::Clock& clock;
    Cameras& cameras;
    FuseFeed& fuse;
    LinkPort& link;
  };

  // Borrows the parts.
  explicit ViewDesk(Parts parts) : parts_(parts) {}

  Challenges& challenges() { return challenges_; }

  // An offer from link. It is answered now, or once the light is lit.
  Result<void> take_offer(std::string_view text, Home& home, const board::ClockReading& arrival,
                          std::chrono::milliseconds boot);

  // Answers an offer with store_fault; nothing is logged, as it cannot be.
  void refuse_without_store(std::string_view text, Home& home, const board::ClockReading& arrival);

  // The fuse's word on the light that was asked for.
  Result<void> light(bool lit, Home& home);

  // To be called every 100 ms and after every event: ends what may no longer run.
  Result<void> judge_running(Home& home, const board::ClockReading& clock);

  // Ends one view, for the hub's own reason if it has one by now; or all.
  Result<void> stream_lost(ByteView stream, Home& home, const board::ClockReading& clock);
  Result<void> end_all(const char* reason, Home& home, const board::ClockReading& clock);

  // Closes all cameras at once and logs nothing; what there was to log is given back, for when the log can be written.
  std::vector<orders::Event> abandon();

  // A sign of life; false if it makes no sense.
  bool hear(ByteView message, board::Milliseconds now);

  // Sends pictures; true if some wait for link.
  bool send(const board::ClockReading& clock);

  // Whether a camera is open, or about to be.
  bool holds_camera() const { return !waiting_.empty() || !running_.empty(); }
  bool is_running() const { return !running_.empty(); }
  // The first instant, on CLOCK_MONOTONIC_RAW, at which some camera must be closed; nullopt when none is held.
  std::optional<board::Milliseconds> open_until(const board::ClockReading& clock) const;
  std::size_t count() const { return waiting_.size() + running_.size(); }
  std::vector<int> fds() const;

  // The cameras whose last opening or picture failed.
  bool has_camera_fault() const { return camera_fault_; }

 private:
  // An accepted view before its camera is open.
  struct Waiting {
    orders::Order order;
    orders::Answer answer;
    std::unique_ptr<RunningView> view;
    board::Milliseconds since{0};
  };

  Result<void> refuse(const orders::Order& order, orders::Answer answer, const Opening& opening, Home& home,
                      const board::ClockReading& clock);
  Result<void> prepare(orders::Order order, orders::Answer answer, Instant until, Home& home,
                       const board::ClockReading& clock);
  Result<void> start(Waiting waiting, Home& home, const board::ClockReading& clock);
  Result<void> fail_camera(Waiting waiting, const Error& error, Home& home, const board::ClockReading& clock);
  Result<void> set_camera_fault(bool fault, const std::string& camera, Home& home, const board::ClockReading& clock);
  Result<void> end(std::size_t index, const std::string& reason, Home& home, const board::ClockReading& clock);
  Result<void> judge_waiting(Home& home, const board::ClockReading& clock);
  std::optional<std::string> reason_to_end(RunningView& view, const Home& home, const board::ClockReading& clock) const;
  Result<void> say(const orders::Answer& answer);

  Parts parts_;
  Challenges challenges_;
  std::vector<Waiting> waiting_;
  std::vector<std::unique_ptr<RunningView>> running_;
  std::vector<orders::Event> unlogged_;  // of views that ended when the log could not be written
  bool camera_fault_ = false;
};

}  // namespace tillsyn::gate
