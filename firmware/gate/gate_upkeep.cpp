// What the gate looks after by itself: that the pipeline obeys, that windows will open, that a released hub ends.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "firmware/gate/check.h"
#include "firmware/gate/gate.h"
#include "firmware/gate/pipeline_watch.h"

namespace tillsyn::gate {
namespace {

constexpr std::chrono::milliseconds kLightPatience{2000};
constexpr std::chrono::seconds kLightTriedEvery{60};  // a light that shines means that somebody looks

}  // namespace

// Holds what was judged against what the kernel and the light show. A view that contradicts them is ended; a camera
// that is held all the same is closed by ending the program.
void Gate::watch_pipeline() {
  const auto& hardware = parts_.hardware;
  const char* broken = disagreement(views_.is_running(), hardware.is_camera_held(), hardware.is_light_lit());
  if (broken == nullptr) return;
  spdlog::critical("the pipeline contradicts the verdict: {}", broken);
  if (const auto stopped = stop_looking(broken); !stopped) store_failed(stopped.error());
  const auto held = hardware.is_camera_held();
  if (!held || *held) fatal_ = Error{Code::kUnavailable, "verdict", "a camera does not close"};
}

Result<void> Gate::stop_looking(const char* broken) {
  orders::Event event;
  event.kind = "verdict_broken";
  event.reason = broken;
  if (store_faulted_) {
    if (unlogged_.size() < kMaxUnlogged) unlogged_.push_back(std::move(event));
    return {};
  }
  TILLSYN_CHECK(views_.end_all("fault", *home_, now_));
  return home_->log.append(std::move(event), now_);
}

Result<void> Gate::observe_windows_ahead() {
  for (auto& finding : preflight_.due(home_->standing(), now_, fuse_.is_there())) {
    for (auto& fault : finding.faults) {
      orders::Event event;
      event.kind = "preflight_failed";
      event.reason = std::move(fault);
      event.window = orders::WindowOnDate{finding.window.window, finding.window.date};
      if (const auto* assignment = home_->desk.assignment()) event.resident = assignment->resident;
      TILLSYN_CHECK(home_->log.append(std::move(event), now_));
    }
  }
  return {};
}

Result<void> Gate::observe_release() {
  const orders::Order* release = home_->desk.release();
  switch (take_down_.judge(release, now_, events_acknowledged_)) {
    case TakeDown::Step::kNothing:
      return {};
    case TakeDown::Step::kDestroy:
      return destroy_keys("time_over");
    case TakeDown::Step::kWarn:
      break;
  }
  TILLSYN_CHECK(log_release("key_end_due", *release, {}));
  TILLSYN_TRY(last, home_->store.last_event());
  take_down_.warned(last->n);
  return {};
}

Result<void> Gate::log_release(const char* kind, const orders::Order& release, const std::string& reason) {
  orders::Event event;
  event.kind = kind;
  event.order = release.hash;
  event.resident = *orders::resident_of(release.payload.body);
  if (!reason.empty()) event.reason = reason;
  return home_->log.append(std::move(event), now_);
}

// Said before it is done, as it cannot be signed afterwards; what is left undone by a failure the next start does
// (Retired::find).
Result<void> Gate::destroy_keys(const char* reason) {
  TILLSYN_CHECK(log_release("keys_destroyed", *home_->desk.release(), reason));
  is_over_ = true;
  if (const auto gone = parts_.keys->destroy_key(); !gone) fatal_ = gone.error();
  return {};
}

// The fuse starts us again, with a right to the camera that has been plugged in.
bool Gate::must_begin_anew() {
  if (views_.holds_camera()) return false;
  const auto camera = parts_.hardware.new_camera();
  if (!camera) return false;
  spdlog::info("camera {} has been plugged in", *camera);
  if (store_faulted_ || !views_.has_camera_fault()) return true;
  orders::Event event;
  event.kind = "camera_restored";
  event.camera = *camera;
  if (const auto logged = home_->log.append(std::move(event), now_); !logged) store_failed(logged.error());
  return true;
}

// The light is tried through the fuse, which alone may light it, and seen by our own eye.
void Gate::begin_check(bool try_light) {
  const bool was_tried = light_tried_at_ && now_.mono - *light_tried_at_ < kLightTriedEvery;
  if (!try_light || was_tried || views_.holds_camera()) return say_check(std::nullopt);
  light_tried_at_ = now_.mono;
  if (!fuse_.is_there() || !fuse_.ask_light()) return say_check(false);
  check_began_ = now_.mono;
}

void Gate::finish_check() {
  if (!check_began_ || (!light_ && now_.mono - *check_began_ < kLightPatience)) return;
  check_began_.reset();
  const auto seen = parts_.hardware.is_light_lit();
  say_check(light_.value_or(false) && seen && seen->value_or(true));
}

void Gate::say_check(std::optional<bool> light_tried) {
  std::vector<std::string> faults = preflight_.faults(home_->standing(), now_, now_.utc, fuse_.is_there());
  for (auto& fault : status_facts().faults)
    if (std::ranges::find(faults, fault) == faults.end()) faults.push_back(std::move(fault));
  if (light_tried == false) faults.emplace_back("light_fault");
  CheckFacts facts{home_->desk, home_->trust, parts_.hardware, now_, {}, {}, std::move(faults), light_tried};
  if (!store_faulted_) {
    const auto newest = [&](const char* kind) {
      auto event = home_->log.newest(kind);
      return event ? std::move(*event) : std::nullopt;
    };
    facts.last_view = newest(views_.is_running() ? "view_started" : "view_ended");
    facts.last_hold = newest("button_held");
  }
  link_.say({ipc::MessageType::kCheck, check_text(facts)});
}

}  // namespace tillsyn::gate
