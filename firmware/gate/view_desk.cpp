#include "firmware/gate/view_desk.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "common/crypto/hpke.h"
#include "common/crypto/random.h"
#include "firmware/gate/papers.h"
#include "firmware/gate/refusals.h"

namespace tillsyn::gate {
namespace {

constexpr std::string_view kLifeContext = "tillsyn life v1";
constexpr std::size_t kKeyBytes = 32;

std::int64_t milliseconds(Instant instant) { return instant.time_since_epoch().count(); }

orders::Event event_of(const char* kind, const ViewFacts& facts, const std::string& reason) {
  orders::Event event;
  event.kind = kind;
  event.resident = facts.resident;
  event.camera = facts.camera;
  event.order = facts.order;
  event.who = facts.viewer;
  if (!reason.empty()) event.reason = reason;
  return event;
}

// What view_ended says when the guard has said `reason`.
const char* end_of(const std::string& reason) {
  if (reason == "outside_window") return "window_end";
  if (reason == "clock_untrusted" || reason == "bundle_expired" || reason == "root_list_expired") return "fault";
  return reason == "paused_by_resident" ? "paused_by_resident" : "withdrawn";
}

// The rules for what already runs, and for what is about to.
Opening judge_view(const ViewFacts& facts, const Home& home, const board::ClockReading& clock) {
  const auto judge = facts.is_test ? judge_tester : judge_viewer;
  return judge(home.standing(), clock, facts.viewer, facts.group);
}

std::string caption_time(board::Clock& clock) {
  const auto now = clock.read();
  if (!now.is_trusted()) return "----";
  std::string text = format_instant(now.utc);
  text[text.find('T')] = ' ';
  return text;
}

camera::Caption caption_of(const ViewFacts& facts, const orders::Assignment& assignment) {
  camera::Caption caption{{}, assignment.code, facts.viewer.value};
  for (const auto& camera : assignment.cameras)
    if (camera.id == facts.camera) caption.identifier = camera.identifier;
  return caption;
}

// A view with its keys: the stream key goes into the answer, sealed to the viewer, and nowhere else.
Result<std::unique_ptr<RunningView>> make_view(ViewFacts facts, const orders::View& view, orders::OpenView& open,
                                               board::Milliseconds now) {
  auto key = crypto::Secret::random(kKeyBytes);
  auto sealed = crypto::hpke_seal(view.viewer_key, facts.order, {}, key.view());
  TILLSYN_TRY(life_key, sealed.exporter.derive(view_of(kLifeContext), kKeyBytes));
  open.until_ms = milliseconds(facts.until);
  open.stream = facts.stream;
  open.enc = sealed.enc;
  std::ranges::copy(sealed.ciphertext, open.sealed.begin());
  return std::make_unique<RunningView>(std::move(facts), std::move(key), std::move(life_key), now);
}

}  // namespace

Result<void> ViewDesk::take_offer(std::string_view text, Home& home, const board::ClockReading& arrival,
                                  std::chrono::milliseconds boot) {
  const auto offer = parse_offer(text);
  auto order = offer ? orders::parse_order(offer->order) : Result<orders::Order>(offer.error());
  if (!order) {
    parts_.link.count_nonsense();
    orders::Event event;
    event.kind = "view_refused";
    event.reason = orders::verdict_of(order.error()).reason;
    return home.log.append_counted(event, {}, arrival);
  }
  Presence& presence = home.desk.presence();
  TILLSYN_TRY(judged,
              home.judge.judge(*offer, *order, home.standing(), challenges_, arrival, boot, presence.is_there(boot)));
  if (judged.log_seen) TILLSYN_CHECK(home.store.save_checkpoint(*judged.log_seen, judged.epoch));
  if (!std::holds_alternative<orders::View>(order->payload.body))
    return home.log.append_counted(event_about("view_refused", *order, judged.opening.reason), {}, arrival);
  if (judged.opening.is_open() && count() >= kMaxViews) judged.opening.reason = "too_many_views";
  auto answer = answer_to(*order, home.desk, home.trust, parts_.keys.hub(), arrival);
  if (!judged.opening.is_open()) return refuse(*order, std::move(answer), judged.opening, home, arrival);
  if (std::get<orders::View>(order->payload.body).is_test) {
    presence.use();
    judged.opening.until = std::min<Instant>(judged.opening.until, arrival.utc + kTestLength);
  }
  return prepare(std::move(*order), std::move(answer), judged.opening.until, home, arrival);
}

void ViewDesk::refuse_without_store(std::string_view text, Home& home, const board::ClockReading& arrival) {
  const auto offer = parse_offer(text);
  if (!offer) return;
  const auto order = orders::parse_order(offer->order);
  if (!order || !std::holds_alternative<orders::View>(order->payload.body)) return;
  auto answer = answer_to(*order, home.desk, home.trust, parts_.keys.hub(), arrival);
  answer.reason = "store_fault";
  if (const auto said = say(answer); !said) spdlog::error("answer: {}", said.error().message);
}

Result<void> ViewDesk::refuse(const orders::Order& order, orders::Answer answer, const Opening& opening, Home& home,
                              const board::ClockReading& clock) {
  const auto event = event_about("view_refused", order, opening.reason);
  TILLSYN_CHECK(home.log.append_counted(event, signer_key(event), clock));
  answer.reason = opening.reason;
  if (opening.next) answer.next_ms = milliseconds(*opening.next);
  return say(answer);
}

Result<void> ViewDesk::prepare(orders::Order order, orders::Answer answer, Instant until, Home& home,
                               const board::ClockReading& clock) {
  const auto& view = std::get<orders::View>(order.payload.body);
  ViewFacts facts{crypto::random_array<16>(),
                  order.hash,
                  view.resident,
                  view.camera,
                  view.group,
                  order.payload.common.signers.front().person,
                  parts_.link.peer(),
                  until,
                  view.is_test};
  auto made = make_view(std::move(facts), view, answer.open.emplace(), clock.mono);
  Waiting waiting{std::move(order), std::move(answer), nullptr, clock.mono};
  if (!made) return fail_camera(std::move(waiting), made.error(), home, clock);
  waiting.view = std::move(*made);
  if (!parts_.fuse.is_there())
    return fail_camera(std::move(waiting), {Code::kUnavailable, "camera_fault", "no fuse"}, home, clock);
  waiting_.push_back(std::move(waiting));
  if (const auto asked = parts_.fuse.ask_light(); !asked) return light(false, home);
  return {};
}

Result<void> ViewDesk::light(bool lit, Home& home) {
  for (auto& waiting : std::exchange(waiting_, {})) {
    const auto clock = parts_.clock.read();
    if (lit) {
      TILLSYN_CHECK(start(std::move(waiting), home, clock));
    } else {
      const Error error{Code::kUnavailable, "camera_fault", "the light cannot be lit"};
      TILLSYN_CHECK(fail_camera(std::move(waiting), error, home, clock));
    }
  }
  return {};
}

Result<void> ViewDesk::start(Waiting waiting, Home& home, const board::ClockReading& clock) {
  const ViewFacts& facts = waiting.view->facts();
  if (facts.peer != parts_.link.peer()) return {};  // whom to answer is gone
  const auto opening = judge_view(facts, home, clock);
  if (!opening.is_open()) {
    waiting.answer.open.reset();
    return refuse(waiting.order, std::move(waiting.answer), opening, home, clock);
  }
  const auto camera = parts_.cameras.find(facts.camera);
  if (camera == parts_.cameras.end())
    return fail_camera(std::move(waiting), {Code::kNotFound, "camera_fault", "no such camera"}, home, clock);
  const auto started = waiting.view->start(*camera->second, caption_of(facts, *home.desk.assignment()),
                                           [this] { return caption_time(parts_.clock); });
  if (!started) return fail_camera(std::move(waiting), started.error(), home, clock);
  TILLSYN_CHECK(set_camera_fault(false, facts.camera, home, clock));
  TILLSYN_CHECK(home.log.append(event_of("view_started", facts, facts.is_test ? "test_view" : ""), clock));
  running_.push_back(std::move(waiting.view));
  return say(waiting.answer);
}

Result<void> ViewDesk::fail_camera(Waiting waiting, const Error& error, Home& home, const board::ClockReading& clock) {
  spdlog::error("camera: {}", error.message);
  const auto& view = std::get<orders::View>(waiting.order.payload.body);
  TILLSYN_CHECK(set_camera_fault(true, view.camera, home, clock));
  Opening closed;
  closed.reason = "camera_fault";
  waiting.answer.open.reset();
  return refuse(waiting.order, std::move(waiting.answer), closed, home, clock);
}

Result<void> ViewDesk::set_camera_fault(bool fault, const std::string& camera, Home& home,
                                        const board::ClockReading& clock) {
  if (fault == camera_fault_) return {};
  camera_fault_ = fault;
  orders::Event event;
  event.kind = fault ? "camera_fault" : "camera_restored";
  event.camera = camera;
  return home.log.append(std::move(event), clock);
}

Result<void> ViewDesk::say(const orders::Answer& answer) {
  TILLSYN_TRY(document, sealed_answer(answer, parts_.keys));
  parts_.link.say(std::move(document));
  return {};
}

std::optional<std::string> ViewDesk::reason_to_end(RunningView& view, const Home& home,
                                                   const board::ClockReading& clock) const {
  const ViewFacts& facts = view.facts();
  if (clock.is_trusted() && clock.utc >= facts.until) return "window_end";
  const auto opening = judge_view(facts, home, clock);
  if (!opening.is_open()) return end_of(opening.reason);
  view.end_by(opening.until);
  if (facts.peer != parts_.link.peer() || view.is_viewer_lost(clock.mono)) return "viewer_gone";
  if (const auto failure = view.failure()) {
    spdlog::error("camera: {}", failure->message);
    return "fault";
  }
  return std::nullopt;
}

Result<void> ViewDesk::judge_running(Home& home, const board::ClockReading& clock) {
  TILLSYN_CHECK(judge_waiting(home, clock));
  for (std::size_t i = 0; i < running_.size();) {
    const auto reason = reason_to_end(*running_[i], home, clock);
    if (!reason) {
      ++i;
      continue;
    }
    const std::string camera = running_[i]->facts().camera;
    TILLSYN_CHECK(end(i, *reason, home, clock));
    if (*reason == "fault" && clock.is_trusted()) TILLSYN_CHECK(set_camera_fault(true, camera, home, clock));
  }
  return {};
}

Result<void> ViewDesk::judge_waiting(Home& home, const board::ClockReading& clock) {
  if (waiting_.empty() || clock.mono - waiting_.front().since < kLightPatience) return {};
  return light(false, home);
}

// The camera first; the relay and the log afterwards.
Result<void> ViewDesk::end(std::size_t index, const std::string& reason, Home& home, const board::ClockReading& clock) {
  const auto view = std::move(running_[index]);
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
  const bool is_linked = view->facts().peer == parts_.link.peer();
  if (const auto sent = view->finish(is_linked ? parts_.link.connection() : nullptr, clock); !sent)
    spdlog::info("link: the end of a stream was not sent ({})", sent.error().message);
  if (is_linked) parts_.link.say({ipc::MessageType::kStreamEnd, text_of(view->facts().stream)});
  const auto event = event_of("view_ended", view->facts(), reason);
  auto logged = home.log.append(event, clock);
  if (!logged) unlogged_.push_back(event);
  return logged;
}

Result<void> ViewDesk::stream_lost(ByteView stream, Home& home, const board::ClockReading& clock) {
  const auto is_lost = [&](const auto& view) { return std::ranges::equal(view->facts().stream, stream); };
  const auto lost = std::ranges::find_if(running_, is_lost);
  if (lost == running_.end()) return {};
  // A viewer who leaves at the window's end has not left it early: the hub's own reason comes first.
  const auto reason = reason_to_end(**lost, home, clock).value_or("viewer_gone");
  return end(static_cast<std::size_t>(lost - running_.begin()), reason, home, clock);
}

Result<void> ViewDesk::end_all(const char* reason, Home& home, const board::ClockReading& clock) {
  waiting_.clear();
  while (!running_.empty()) TILLSYN_CHECK(end(0, reason, home, clock));
  return {};
}

std::vector<orders::Event> ViewDesk::abandon() {
  waiting_.clear();
  for (auto& view : std::exchange(running_, {})) {
    const auto facts = view->facts();
    view.reset();
    parts_.link.say({ipc::MessageType::kStreamEnd, text_of(facts.stream)});
    unlogged_.push_back(event_of("view_ended", facts, "fault"));
  }
  return std::exchange(unlogged_, {});
}

bool ViewDesk::hear(ByteView message, board::Milliseconds now) {
  const auto life = decode_life(message);
  if (!life) return false;
  for (auto& view : running_)
    if (view->facts().stream == life->stream) return view->hear(*life, now).ok();
  return true;  // of a view that has just ended
}

bool ViewDesk::send(const board::ClockReading& clock) {
  bool blocked = false;
  for (auto& view : running_) {
    if (parts_.link.connection() == nullptr) return false;
    const auto sent = view->send(*parts_.link.connection(), clock);
    if (!sent) {
      parts_.link.drop();
      return false;
    }
    blocked = blocked || *sent == ipc::Sent::kWouldBlock;
  }
  return blocked;
}

std::optional<board::Milliseconds> ViewDesk::open_until(const board::ClockReading& clock) const {
  std::optional<Instant> until;
  const auto take = [&](const RunningView& view) {
    until = std::min(until.value_or(view.facts().until), view.facts().until);
  };
  for (const auto& waiting : waiting_) take(*waiting.view);
  for (const auto& view : running_) take(*view);
  if (!until) return std::nullopt;
  return clock.mono + (*until - clock.utc);
}

std::vector<int> ViewDesk::fds() const {
  std::vector<int> fds;
  for (const auto& view : running_) fds.push_back(view->fd());
  return fds;
}

}  // namespace tillsyn::gate
