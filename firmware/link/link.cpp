#include "firmware/link/link.h"

#include <spdlog/spdlog.h>

#include <random>

namespace tillsyn::link {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kTick = 100ms;
constexpr Milliseconds kCheckPatience = 4s;  // gate tries the light for 2 s
constexpr Milliseconds kTickWhenBusy = 5ms;  // gate has not taken all: its rate does not show in poll(2)

std::function<std::uint32_t()> random_numbers() {
  return [device = std::make_shared<std::random_device>()] { return (*device)(); };
}

}  // namespace

Result<std::unique_ptr<Link>> Link::make(const Config& config) {
  TILLSYN_TRY(key, LinkKey::open(config.state_dir));
  std::unique_ptr<Link> link(new Link(config, key));
  TILLSYN_TRY(control, Control::open(config.control_socket, [self = link.get()](const auto& request, auto answer) {
                self->control(request, answer);
              }));
  link->control_.emplace(std::move(control));
  return link;
}

Link::Link(const Config& config, const LinkKey& key)
    : http_(key),
      gate_(config.gate_socket, *this),
      relays_(random_numbers()),
      streams_(http_, gate_, relays_),
      poller_(http_, gate_, relays_, outbox_),
      reporter_(http_, gate_, relays_, outbox_),
      enrolment_(config.state_dir, key, http_, gate_, relays_) {}

void Link::run(int stop) {
  while (!stopping_) {
    tick(std::chrono::steady_clock::now());
    wait(stop);
  }
}

void Link::tick(TimePoint now) {
  gate_.tick(now);
  if (std::exchange(gate_changed_, false)) {
    // Here and not when it happens, as it may happen inside a callback of the very stream that this ends.
    if (!gate_.is_up()) streams_.drop_all();
    if (!gate_.is_up()) reporter_.gate_is_down();
    poller_.begin_anew(now);
  }
  const auto& enrolled = enrolment_.enrolled();
  const bool may_poll = enrolled && (!gate_.is_up() || enrolment_.is_enrolled(gate_.hub()));
  streams_.tick(now);
  enrolment_.tick(now);
  poller_.tick(now, may_poll);
  reporter_.tick(now, may_poll);
  control_->tick();
  if (!checks_.empty() && (!gate_.is_up() || now >= checks_end_)) answer_checks(nullptr);
}

void Link::wait(int stop) {
  std::vector<pollfd> fds{{stop, POLLIN, 0}, {gate_.fd(), POLLIN, 0}};
  if (gate_.fd() < 0) fds.pop_back();
  control_->watch(fds);
  http_.turn(fds, gate_.wants_to_write() ? kTickWhenBusy : kTick);
  stopping_ = fds[0].revents != 0;
}

void Link::gate_is_up() { gate_changed_ = true; }

void Link::gate_is_down() { gate_changed_ = true; }

void Link::gate_said(const ipc::Message& message) {
  using ipc::MessageType;
  const TimePoint now = std::chrono::steady_clock::now();
  const std::string_view text(reinterpret_cast<const char*>(message.body.data()), message.body.size());
  switch (message.type) {
    case MessageType::kPollStatus:
      return poller_.status_arrived(text, now);
    case MessageType::kStatusChanged:
      return reporter_.status_changed(text);
    case MessageType::kLinkKeyEnvelope:
      return enrolment_.envelope_arrived(text);
    case MessageType::kRelays:
      return take_relays(text);
    case MessageType::kCheck: {
      auto check = parse_json(text);
      return answer_checks(check ? std::move(*check) : Json());
    }
    case MessageType::kStreamEnd:
      return streams_.end(message.body, now);
    case MessageType::kFrame: {
      const ipc::StreamFrame parts = ipc::split_frame(message);
      return streams_.frame(parts.stream, parts.frame, now);
    }
    default:
      return take_for_relay(message);
  }
}

void Link::take_relays(std::string_view text) {
  auto relays = parse_relays(text);
  if (!relays) return spdlog::error("gate's relays: {}", relays.error().message);
  relays_.set(std::move(relays).value());
}

void Link::take_for_relay(const ipc::Message& message) {
  const std::string_view text(reinterpret_cast<const char*>(message.body.data()), message.body.size());
  const auto added = outbox_.add(message.type, text);
  if (!added) spdlog::warn("not reported: {}", added.error().message);
}

void Link::control(const ControlRequest& request, const Control::Answer& answer) {
  if (request.kind == ControlRequest::Kind::kStatus) return answer(status().dump());
  if (request.kind == ControlRequest::Kind::kCheck) return ask_gate(request.light, answer);
  const auto done = [answer](const Result<Enrolled>& enrolled) {
    if (!enrolled) return answer(control_failure(enrolled.error()));
    answer(Json{{"ok", true}, {"hub", enrolled->hub}, {"provider", enrolled->provider}}.dump());
  };
  enrolment_.begin(request.code, request.relay, std::chrono::steady_clock::now(), done);
}

// One answer of gate's is for all who have asked.
void Link::ask_gate(bool try_light, const Control::Answer& answer) {
  checks_.push_back(answer);
  checks_end_ = std::chrono::steady_clock::now() + kCheckPatience;
  gate_.say(ipc::MessageType::kCheckWanted, Bytes{static_cast<std::uint8_t>(try_light ? 1 : 0)});
}

void Link::answer_checks(const Json& check) {
  Json json = status();
  json["check"] = check;
  for (const auto& answer : std::exchange(checks_, std::vector<Control::Answer>())) answer(json.dump());
}

Json Link::status() const {
  Json json{{"ok", true}, {"gate", gate_.is_up()}, {"streams", streams_.size()}, {"waiting", outbox_.size()}};
  json["hub"] = gate_.is_up() ? Json(gate_.hub()) : Json();
  json["provider"] = enrolment_.enrolled() ? Json(enrolment_.enrolled()->provider) : Json();
  json["relay"] = relays_.current() ? Json(relays_.current()->host) : Json();
  json["trouble"] = relays_.trouble().empty() ? Json() : Json(relays_.trouble());
  json["status"] = reporter_.status();
  return json;
}

}  // namespace tillsyn::link
