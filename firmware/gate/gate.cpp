#include "firmware/gate/gate.h"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "firmware/gate/confine.h"

namespace tillsyn::gate {
namespace {

constexpr std::chrono::milliseconds kRetry{5};  // when link did not take what we had to say
constexpr std::chrono::minutes kFloorEvery{10};
constexpr std::chrono::hours kBundleOld{48};  // of bundles that come every ten minutes

bool is_readable(const pollfd& entry) { return entry.revents != 0; }

}  // namespace

Gate::Gate(Parts parts, std::unique_ptr<Home> home)
    : parts_(std::move(parts)),
      fuse_(std::move(parts_.fuse)),
      pulse_(fuse_.fd()),
      link_(std::move(parts_.listener)),
      views_({*parts_.keys, *parts_.clock, parts_.cameras, fuse_, link_}),
      home_(std::move(home)),
      now_(parts_.clock->read()),
      preflight_(parts_.hardware) {}

Result<void> Gate::run() {
  begin();
  while (true) {
    TILLSYN_TRY(goes_on, turn());
    if (!goes_on) return finish();
  }
}

void Gate::begin() {
  tell_judged();
  pulse_.start();
  if (const auto started = log("started"); !started) store_failed(started.error());
}

Result<bool> Gate::turn() {
  const Readable readable = wait();
  now_ = parts_.clock->read();
  if (readable.stop) return false;
  const bool is_due = readable.any() || now_.mono >= next_tick_;
  TILLSYN_TRY(lit, readable.fuse ? fuse_.answer() : Result<std::optional<bool>>(std::nullopt));
  light_ = lit;
  if (store_faulted_) {
    serve_without_store(readable);
  } else if (const auto served = serve(readable); !served) {
    store_failed(served.error());
  }
  if (is_due) watch_pipeline();
  finish_check();
  speak();
  tell_judged();
  if (fatal_) return *fatal_;
  return !is_over_ && !(is_due && must_begin_anew());
}

Result<void> Gate::finish() {
  if (is_over_) return {};
  spdlog::info("stopping");
  if (!store_faulted_ && views_.end_all("stopped", *home_, now_)) return log("stopped");
  views_.abandon();
  return {};
}

void Gate::tell_judged() { pulse_.judged(now_.mono, views_.open_until(now_)); }

Gate::Readable Gate::wait() {
  std::vector<pollfd> entries;
  const auto add = [&](int fd) { entries.push_back({fd, POLLIN, 0}); };
  for (const int fd : {parts_.stop.get(), link_.fd(), link_.listener_fd(), parts_.button->fd(), fuse_.fd()}) add(fd);
  if (!blocked_)
    for (const int fd : views_.fds()) add(fd);
  const auto until_tick = std::clamp(next_tick_ - board::monotonic_raw(), board::Milliseconds(0), kTick);
  const auto patience = blocked_ ? std::min(kRetry, until_tick) : until_tick;
  ::poll(entries.data(), entries.size(), static_cast<int>(patience.count()));
  return {is_readable(entries[0]), is_readable(entries[1]), is_readable(entries[2]), is_readable(entries[3]),
          is_readable(entries[4])};
}

Result<void> Gate::serve(const Readable& readable) {
  if (light_) TILLSYN_CHECK(views_.light(*light_, *home_));
  if (readable.button) TILLSYN_CHECK(read_button());
  if (readable.link) TILLSYN_CHECK(take_messages());
  if (readable.listener && link_.accept()) spdlog::info("link: connected");
  TILLSYN_CHECK(views_.judge_running(*home_, now_));
  if (now_.mono < next_tick_) return {};
  next_tick_ = now_.mono + kTick;
  return tick();
}

Result<void> Gate::tick() {
  TILLSYN_CHECK(observe_clock());
  TILLSYN_CHECK(observe_link());
  TILLSYN_CHECK(observe_calls());
  TILLSYN_CHECK(home_->windows.observe(home_->standing(), now_));
  TILLSYN_CHECK(home_->log.flush(now_));
  TILLSYN_CHECK(keep_floor());
  TILLSYN_CHECK(read_numbers());
  TILLSYN_CHECK(observe_windows_ahead());
  TILLSYN_CHECK(observe_release());
  if (home_->desk.has_more_to_judge()) TILLSYN_CHECK(judge_waiting_orders());
  tell_status();
  return {};
}

// Documents first, pictures when none of them waits, so that an answer is there before its stream.
void Gate::speak() {
  const auto waiting = link_.pump(store_faulted_ ? nullptr : &home_->store);
  if (!waiting) store_failed(waiting.error());
  blocked_ = waiting && *waiting;
  if (link_.is_quiet()) blocked_ = views_.send(now_) || blocked_;
}

Result<void> Gate::log(const char* kind, const std::string& reason) {
  orders::Event event;
  event.kind = kind;
  if (!reason.empty()) event.reason = reason;
  return home_->log.append(std::move(event), now_);
}

Result<void> Gate::observe_clock() {
  if (now_.word != clock_word_) spdlog::info("clock: {}", clock_word_ = now_.word);
  if (clock_state_ == now_.state) return {};
  const bool was_trusted = clock_state_ == board::ClockState::kTrusted;
  const bool is_first = !clock_state_;
  clock_state_ = now_.state;
  if (now_.is_trusted() == was_trusted && !is_first) return {};
  TILLSYN_CHECK(log(now_.is_trusted() ? "clock_trusted" : "clock_untrusted", board::clock_state_name(now_.state)));
  if (!now_.is_trusted()) return {};
  if (const auto bundle = std::exchange(waiting_bundle_, std::nullopt)) TILLSYN_CHECK(take_bundle(*bundle));
  return judge_waiting_orders();
}

Result<void> Gate::observe_link() {
  const bool linked = link_.connection() != nullptr;
  if (linked == was_linked_) return {};
  was_linked_ = linked;
  orders::Event event;
  event.kind = linked ? "link_back" : "link_lost";
  return home_->log.append_counted(std::move(event), {}, now_);
}

Result<void> Gate::observe_calls() {
  const auto call = denied_call();
  if (!call) return {};
  spdlog::error("system call {} was refused", *call);
  orders::Event event;
  event.kind = "fault";
  event.reason = "denied_call_" + std::to_string(*call);
  return home_->log.append_counted(std::move(event), {}, now_);
}

Result<void> Gate::keep_floor() {
  if (!now_.is_trusted() || now_.utc - kept_floor_ < kFloorEvery) return {};
  kept_floor_ = now_.utc;
  return home_->store.save_floor(now_.utc);
}

Result<void> Gate::read_numbers() {
  TILLSYN_TRY(log_seen, home_->store.checkpoint());
  TILLSYN_TRY(last, home_->store.last_event());
  TILLSYN_TRY(acknowledged, home_->store.events_acknowledged());
  log_seen_ = log_seen;
  events_ = last ? last->n : 0;
  events_acknowledged_ = acknowledged;
  return {};
}

StatusFacts Gate::status_facts() {
  StatusFacts facts{home_->desk, home_->trust,         parts_.keys->hub(), now_, log_seen_,
                    events_,     events_acknowledged_, views_.count(),     {}};
  if (store_faulted_) facts.faults.push_back("store_fault");
  if (!now_.is_trusted()) facts.faults.push_back(std::string("clock_") + board::clock_state_name(now_.state));
  if (views_.has_camera_fault()) facts.faults.push_back("camera_fault");
  if (!fuse_.is_there()) facts.faults.push_back("no_fuse");
  const orders::Bundle* bundle = home_->trust.bundle();
  if (now_.is_trusted() && bundle != nullptr && now_.utc - bundle->issued_at > kBundleOld)
    facts.faults.push_back("bundle_old");
  return facts;
}

void Gate::tell_status() {
  const StatusFacts facts = status_facts();
  std::string status = status_without_passing(facts);
  if (status == told_status_) return;
  told_status_ = std::move(status);
  const auto boot = board::boottime();
  link_.say({ipc::MessageType::kStatusChanged, status_text(facts, views_.challenges().newest(boot))});
}

void Gate::store_failed(const Error& error) {
  spdlog::critical("store: {}", error.message);
  if (error.reason == "key_store") fatal_ = error;  // its place is found anew at a start alone
  for (auto& event : views_.abandon())
    if (unlogged_.size() < kMaxUnlogged) unlogged_.push_back(std::move(event));
  store_faulted_ = true;
  next_reopen_ = now_.mono + kReopenStore;
}

void Gate::serve_without_store(const Readable& readable) {
  if (readable.button) keep_presses();
  while (const auto message = readable.link ? link_.receive() : std::nullopt) {
    if (message->type == ipc::MessageType::kPollWanted) say_status();
    if (message->type == ipc::MessageType::kCheckWanted) say_check(std::nullopt);
    if (message->type == ipc::MessageType::kOffer) views_.refuse_without_store(text_of(message->body), *home_, now_);
  }
  if (readable.listener) link_.accept();
  if (now_.mono >= next_tick_) {
    next_tick_ = now_.mono + kTick;
    tell_status();
  }
  if (now_.mono >= next_reopen_) reopen_store();
}

void Gate::keep_presses() {
  while (true) {
    const auto press = parts_.button->read();
    if (!press || !*press) return;
    if (**press == board::Press::kShort) is_press_waiting_ = !is_press_waiting_;
  }
}

void Gate::reopen_store() {
  next_reopen_ = now_.mono + kReopenStore;
  auto home = Home::open(parts_.home_settings, *parts_.keys);
  if (!home) {
    spdlog::error("store: {}", home.error().message);
    return;
  }
  home_ = std::move(*home);
  store_faulted_ = false;
  clock_state_.reset();
  link_.drop();  // what was said last may not be on disk: begin anew
  if (const auto logged = log_recovery(); !logged) store_failed(logged.error());
}

Result<void> Gate::log_recovery() {
  TILLSYN_CHECK(log("fault", "store_fault"));
  for (auto& event : std::exchange(unlogged_, {})) TILLSYN_CHECK(home_->log.append(std::move(event), now_));
  return std::exchange(is_press_waiting_, false) ? button_pressed() : Result<void>();
}

}  // namespace tillsyn::gate
