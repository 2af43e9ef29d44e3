#include <boost/asio/as_tuple.hpp>

#include "relay/sessions/live.h"
#include "relay/sessions/upload.h"

namespace tillsyn::sessions {

namespace {

constexpr const char* kNoAnswer =
    "Hubben svarade inte i tid. Försök igen; går det inte heller, gör tillsynen på plats.";
constexpr const char* kNoStream =
    "Hubben svarade men skickade ingen bild. Försök igen; går det inte heller, gör tillsynen på plats.";

Error silent(const char* complaint) { return {Code::kUnavailable, "hub_silent", complaint}; }

}  // namespace

asio::awaitable<void> Live::start_view(const std::string& order) {
  end_view("viewer_ended");
  auto& desk = owner_.parts().desk;
  // The session may have ended since the socket was opened under it.
  auto job = [&desk, &order, token = token_]() -> Result<EnteredView> {
    TILLSYN_TRY(viewer, desk.authenticate(token));
    return desk.accept_view(viewer, order);
  };
  const http::Share share = this->share(http::Urgency::kAct, token_);
  auto entered = co_await owner_.parts().store.run(std::move(job), share);
  if (!entered.ok()) co_return say(format_problem(entered.error()));
  view_ = std::make_shared<View>();
  view_->entered = std::move(*entered);
  view_->viewer = weak_from_this();
  if (is_gone_ || closes_) co_return end_view("viewer_gone");
  say(format_offered(view_->entered));
  owner_.add(view_);
  offer();
}

void Live::offer() {
  auto& hubs = owner_.parts().hubs;
  const EnteredView& entered = view_->entered;
  if (!hubs.is_online(entered.hub)) return fail_view(silent(kNoAnswer));
  hubs::PendingOffer pending;
  pending.hash = entered.hash;
  pending.make = [&desk = owner_.parts().desk, entered](const Json& status) { return desk.offer(entered, status); };
  pending.failed = [weak = std::weak_ptr(view_)](const Error& error) {
    const auto view = weak.lock();
    const auto viewer = view ? view->viewer.lock() : nullptr;
    if (viewer && viewer->view_ == view) viewer->fail_view(error);
  };
  await_hub(kNoAnswer);
  hubs.offer(entered.hub, std::move(pending));
}

void Live::await_hub(const char* complaint) {
  patience_.expires_after(owner_.parts().times.answer);
  patience_.async_wait([weak = std::weak_ptr(view_), complaint](http::error_code error) {
    const auto view = weak.lock();
    const auto viewer = view && !error ? view->viewer.lock() : nullptr;
    // The timer may have run out in the moment in which the hub was heard after all.
    if (!viewer || viewer->view_ != view || view->upload != nullptr) return;
    if (complaint == kNoAnswer && !view->stream.empty()) return;
    viewer->fail_view(silent(complaint));
  });
}

void Live::answered(const Json& envelope, const std::optional<std::string>& stream) {
  say(format_answer(envelope));
  patience_.cancel();
  if (!stream) return forget_view();  // closed: the hub has said why
  view_->stream = *stream;
  await_hub(kNoStream);
}

void Live::stream_began() { patience_.cancel(); }

void Live::frame(const sframe::FrameView& frame) {
  frames_.push(frame);
  news_.notify();
}

void Live::stream_ended(const std::string& reason) {
  if (!view_) return;
  owner_.enter(view_->entered, "view_stopped", reason);
  forget_view();
  ends_after_frames_ = true;
  news_.notify();
}

void Live::take_life(ByteView message) {
  if (message.size() != kLifeBytes) {
    return say_last(format_problem(malformed("malformed", "a sign of life is 64 bytes")));
  }
  if (!view_ || view_->upload == nullptr) return;  // crossed the end of its stream on the way
  if (to_base64url(message.first(sframe::kStreamIdBytes)) != view_->stream) return;
  is_watched_ = true;
  view_->upload->life(message);
}

void Live::fail_view(const Error& error) {
  owner_.enter(view_->entered, "view_failed", error.reason);
  say(format_problem(error));
  forget_view();
}

void Live::end_view(const char* reason) {
  frames_.clear();
  ends_after_frames_ = false;
  if (!view_) return;
  owner_.enter(view_->entered, "view_stopped", reason);
  if (view_->upload != nullptr) view_->upload->viewer_gone();
  forget_view();
}

void Live::forget_view() {
  patience_.cancel();
  owner_.parts().hubs.withdraw(view_->entered.hub, view_->entered.hash);
  owner_.remove(*view_);
  view_.reset();
}

}  // namespace tillsyn::sessions
