#include "firmware/link/poller.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "firmware/link/delivery.h"

namespace tillsyn::link {

void Poller::tick(TimePoint now, bool enrolled) {
  const Relay* relay = relays_.current();
  if (!relay) return;
  if (!enrolled) {
    if (gate_.is_up() && !trust_.is_busy() && now >= next_trust_) fetch_trust(TlsCheck::kFull);
    return;
  }
  if (state_ == State::kResting && now >= next_) ask(*relay, now);
  if (state_ == State::kAsking && now >= deadline_) {
    spdlog::warn("gate does not say how it is");
    post(*relay, nullptr, now);
  }
}

void Poller::ask(const Relay& relay, TimePoint now) {
  if (!gate_.is_up()) return post(relay, nullptr, now);
  state_ = State::kAsking;
  deadline_ = now + kGatePatience;
  gate_.say(ipc::MessageType::kPollWanted, {});
}

void Poller::status_arrived(std::string_view status, TimePoint now) {
  if (state_ != State::kAsking) return;  // too late: its challenge would not be the newest
  const auto json = parse_json(status);
  const Relay* relay = relays_.current();
  if (json && relay) return post(*relay, *json, now);
  if (!json) spdlog::warn("gate's status is no JSON");
}

void Poller::post(const Relay& relay, const Json& status, TimePoint now) {
  Request request;
  request.relay = relay;
  request.path = "/hub/v1/poll";
  request.body = Json{{"format", 1}, {"status", status}}.dump();
  request.timeout = kPollTimeout;
  state_ = State::kPolling;
  begun_ = now;
  ticket_ = http_.send(request, [this](const Result<Reply>& reply) { answered(reply); });
}

void Poller::answered(const Result<Reply>& reply) {
  const TimePoint now = std::chrono::steady_clock::now();
  state_ = State::kResting;
  ticket_ = 0;
  const auto json = read_reply(reply);
  if (json) {
    relays_.succeeded();
    next_ = std::max(now, begun_ + kShortest);
    return take(*json);
  }
  if (json.error().reason == "relay_tls") fetch_trust(TlsCheck::kNone);
  next_ = now + relays_.failed(json.error());
}

void Poller::take(const Json& answer) {
  const Delivery delivery = read_delivery(answer);
  if (delivery.skipped > 0) spdlog::warn("{} things from the relay were not fit for gate", delivery.skipped);
  outbox_.acked(delivery.events_acked);
  for (const ToGate& message : delivery.messages) gate_.say(message.type, message.body);
}

// A hub that is not enrolled has nothing else to learn its trust from; a failed check is tried again without one.
void Poller::fetch_trust(TlsCheck tls) {
  const Relay* relay = relays_.current();
  if (!relay) return;
  trust_.fetch(*relay, tls, [this, tls](const Result<void>& fetched) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (fetched) {
      next_trust_ = now + kTrustPause;
    } else if (fetched.error().reason == "relay_tls" && tls == TlsCheck::kFull) {
      fetch_trust(TlsCheck::kNone);
    } else {
      next_trust_ = now + relays_.failed(fetched.error());
    }
  });
}

void Poller::begin_anew(TimePoint now) {
  http_.cancel(ticket_);
  ticket_ = 0;
  const bool was_working = state_ != State::kResting;
  state_ = State::kResting;
  if (was_working) next_ = now;  // but a relay that has just failed is left its pause
}

}  // namespace tillsyn::link
