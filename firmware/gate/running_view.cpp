#include "firmware/gate/running_view.h"

#include <utility>

#include "common/sframe/frame.h"

namespace tillsyn::gate {
namespace {

constexpr std::size_t kMaxHeard = 64;

Instant utc_of(std::uint64_t capture_ms, const board::ClockReading& clock) {
  return clock.utc - (clock.mono - std::chrono::milliseconds(capture_ms));
}

}  // namespace

RunningView::RunningView(ViewFacts facts, crypto::Secret stream_key, crypto::Secret life_key,
                         board::Milliseconds started)
    : facts_(std::move(facts)), sealer_(stream_key.view().first<32>(), 0), lifeline_(std::move(life_key), started) {}

Result<void> RunningView::start(camera::Camera& camera, camera::Caption caption,
                                std::function<std::string()> utc_text) {
  camera::ViewSettings settings;
  settings.caption = std::move(caption);
  settings.bitrate_kbit = pace_.kbit();
  settings.utc_text = std::move(utc_text);
  settings.deliver = [this](camera::AccessUnit unit) { queue_.push(std::move(unit)); };
  TILLSYN_TRY(view, camera.open(settings));
  view_ = std::move(view);
  return {};
}

Result<void> RunningView::hear(const Life& life, board::Milliseconds now) {
  TILLSYN_CHECK(lifeline_.hear(life, next_ctr_, now));
  if (heard_.size() == kMaxHeard) heard_.pop_front();
  heard_.push_back({life.counter, now});
  const unsigned before = pace_.kbit();
  if (life.painted && pace_.painted(*life.painted, now)) skip_to_key_frame();
  set_pace(before);
  return {};
}

// The newest sign of life that had come when the picture was taken; older ones are not needed again, as captures rise.
std::uint64_t RunningView::life_at(std::uint64_t capture_ms) {
  const std::chrono::milliseconds capture(capture_ms);
  while (heard_.size() > 1 && heard_[1].at <= capture) heard_.pop_front();
  return heard_.empty() || heard_.front().at > capture ? 0 : heard_.front().counter;
}

void RunningView::skip_to_key_frame() {
  if (!needs_key_frame_ && view_) view_->request_key_frame();
  needs_key_frame_ = true;
}

void RunningView::set_pace(unsigned before) {
  if (view_ && pace_.kbit() != before) view_->set_bitrate(pace_.kbit());
}

bool RunningView::is_wanted(const camera::AccessUnit& unit, const board::ClockReading& clock) {
  if (queue_.take_dropped() > 0) skip_to_key_frame();
  if (utc_of(unit.capture_mono_ms, clock) >= facts_.until) return false;
  if (unit.key_frame) return true;
  if (clock.mono - std::chrono::milliseconds(unit.capture_mono_ms) > Pace::kMaxBehind) {
    const unsigned before = pace_.kbit();
    pace_.late(clock.mono);
    set_pace(before);
    skip_to_key_frame();
  }
  return !needs_key_frame_;
}

Result<Bytes> RunningView::seal(std::uint8_t flags, std::uint64_t capture_ms, ByteView picture) {
  Bytes inside;
  inside.reserve(8 + picture.size());
  append_u64(inside, life_at(capture_ms));
  append(inside, picture);
  TILLSYN_TRY(frame, sframe::seal_frame(sealer_, facts_.stream, {flags, capture_ms}, inside));
  pace_.sent(next_ctr_++, std::chrono::milliseconds(capture_ms));
  return std::move(frame);
}

Result<ipc::Sent> RunningView::send_sealed(ipc::Connection& link) {
  if (sealed_.empty()) return ipc::Sent::kSent;
  TILLSYN_TRY(sent, link.send(ipc::MessageType::kFrame, {ByteView(facts_.stream), ByteView(sealed_)}));
  if (sent == ipc::Sent::kSent) sealed_.clear();
  return sent;
}

Result<ipc::Sent> RunningView::send(ipc::Connection& link, const board::ClockReading& clock) {
  TILLSYN_TRY(before, send_sealed(link));
  if (before == ipc::Sent::kWouldBlock) return before;
  while (const auto unit = queue_.pop()) {
    if (!is_wanted(*unit, clock)) continue;
    auto frame = seal(unit->key_frame ? sframe::kKeyFrame : 0, unit->capture_mono_ms, unit->data);
    if (!frame) {  // larger than a frame may be
      skip_to_key_frame();
      continue;
    }
    needs_key_frame_ = false;
    sealed_ = std::move(*frame);
    TILLSYN_TRY(sent, send_sealed(link));
    if (sent == ipc::Sent::kWouldBlock) return sent;
  }
  return ipc::Sent::kSent;
}

Result<void> RunningView::finish(ipc::Connection* link, const board::ClockReading& clock) {
  view_.reset();
  queue_.clear();
  if (link == nullptr) return {};
  TILLSYN_TRY(before, send_sealed(*link));
  if (before == ipc::Sent::kWouldBlock) return {};
  TILLSYN_TRY(last, seal(sframe::kEnd, static_cast<std::uint64_t>(clock.mono.count()), {}));
  sealed_ = std::move(last);
  TILLSYN_TRY(sent, send_sealed(*link));
  if (sent == ipc::Sent::kWouldBlock) return {};
  return {};
}

}  // namespace tillsyn::gate
