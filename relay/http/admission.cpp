#include "relay/http/admission.h"

#include <algorithm>

namespace tillsyn::http {

Admission::Admission(const Limits& limits)
    : limits_(limits),
      callers_({limits.requests_per_second, limits.request_burst}),
      of_providers_{Budgets({limits.provider_hub_requests_per_second, limits.provider_hub_request_burst}),
                    Budgets({limits.provider_requests_per_second, limits.provider_request_burst})} {}

Admission::Ticket::~Ticket() { owner_.leave(*this); }

std::unique_ptr<Admission::Ticket> Admission::enter(const std::string& peer, std::function<void()> close) {
  const auto from = peers_.find(peer);
  if (from != peers_.end() && from->second.strangers >= limits_.max_per_peer && !make_room_at(peer)) return nullptr;
  if (shaking_hands_.size() >= limits_.max_handshaking) make_room_for_handshake();
  std::unique_ptr<Ticket> ticket(new Ticket(*this, peer, std::move(close)));
  Peer& of = peers_[peer];
  ++of.strangers;
  ++of.shaking_hands;
  ticket->waiting_ = shaking_hands_.insert(shaking_hands_.end(), ticket.get());
  return ticket;
}

Refusal Admission::classify(Ticket& ticket, Traffic traffic, const std::string& provider) {
  if (ticket.stage_ == Ticket::Stage::kOut) return "place_given_away";
  stop_waiting(ticket);
  const std::size_t most = traffic == Traffic::kHub ? limits_.max_hubs : limits_.max_staff;
  if (of_class_[index_of(traffic)] >= most && !make_room_in(traffic)) return "class_full";
  ticket.stage_ = Ticket::Stage::kServed;
  ticket.traffic_ = traffic;
  ++of_class_[index_of(traffic)];
  return belongs(ticket, provider);
}

Refusal Admission::belongs(Ticket& ticket, const std::string& provider) {
  if (provider.empty() || !ticket.provider_.empty() || ticket.stage_ != Ticket::Stage::kServed) return nullptr;
  const std::size_t most =
      ticket.traffic_ == Traffic::kHub ? limits_.max_hubs_of_provider : limits_.max_staff_of_provider;
  std::size_t& count = of_provider_[provider][index_of(ticket.traffic_)];
  if (count >= most) return "provider_connections";
  stop_waiting(ticket);
  leave_strangers(ticket);
  ticket.provider_ = provider;
  ++count;
  return nullptr;
}

void Admission::is_served(Ticket& ticket) { stop_waiting(ticket); }

void Admission::is_idle(Ticket& ticket) {
  if (ticket.stage_ != Ticket::Stage::kServed || !ticket.provider_.empty() || ticket.waiting_) return;
  ticket.waiting_ = idle_.insert(idle_.end(), &ticket);
}

Refusal Admission::refuse_request(const Share& share, Traffic traffic, Clock::time_point now) {
  if (!callers_.take(share.provider + '/' + share.caller, now)) return "caller_rate";
  if (share.provider.empty()) return nullptr;
  return of_providers_[index_of(traffic)].take(share.provider, now) ? nullptr : "provider_rate";
}

void Admission::stop_waiting(Ticket& ticket) {
  if (!ticket.waiting_) return;
  const bool shakes_hands = ticket.stage_ == Ticket::Stage::kShakingHands;
  (shakes_hands ? shaking_hands_ : idle_).erase(*ticket.waiting_);
  ticket.waiting_.reset();
  if (shakes_hands) --peers_[ticket.peer_].shaking_hands;
}

void Admission::leave_strangers(Ticket& ticket) {
  const auto from = peers_.find(ticket.peer_);
  if (--from->second.strangers == 0) peers_.erase(from);
}

void Admission::leave(Ticket& ticket) {
  if (ticket.stage_ == Ticket::Stage::kOut) return;
  stop_waiting(ticket);
  if (ticket.stage_ == Ticket::Stage::kServed) --of_class_[index_of(ticket.traffic_)];
  if (ticket.provider_.empty()) {
    leave_strangers(ticket);
  } else {
    --of_provider_[ticket.provider_][index_of(ticket.traffic_)];
  }
  ticket.stage_ = Ticket::Stage::kOut;
}

void Admission::evict(Ticket& ticket) {
  leave(ticket);
  ticket.close_();
}

bool Admission::make_room_at(const std::string& peer) {
  for (auto* waiting : {&idle_, &shaking_hands_}) {
    const auto found =
        std::find_if(waiting->begin(), waiting->end(), [&](const Ticket* one) { return one->peer_ == peer; });
    if (found == waiting->end()) continue;
    evict(**found);
    return true;
  }
  return false;
}

bool Admission::make_room_in(Traffic traffic) {
  const auto found =
      std::find_if(idle_.begin(), idle_.end(), [&](const Ticket* one) { return one->traffic_ == traffic; });
  if (found == idle_.end()) return false;
  evict(**found);
  return true;
}

// The peer that has the most under way gives up its oldest: whoever comes from elsewhere can finish.
void Admission::make_room_for_handshake() {
  const auto under_way = [&](const Ticket* one) { return peers_.at(one->peer_).shaking_hands; };
  evict(**std::max_element(shaking_hands_.begin(), shaking_hands_.end(),
                           [&](const Ticket* a, const Ticket* b) { return under_way(a) < under_way(b); }));
}

}  // namespace tillsyn::http
