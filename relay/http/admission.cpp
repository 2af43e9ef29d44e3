#include "relay/http/admission.h"

#include <algorithm>

namespace tillsyn::http {

Admission::Ticket::~Ticket() {
  if (counted_in_ != nullptr) --*counted_in_;
  --owner_.peers_[peer_].connections;
}

std::unique_ptr<Admission::Ticket> Admission::enter(const std::string& name) {
  Peer& from = peer(name, Clock::now());
  if (handshaking_ >= limits_.max_handshaking || from.connections >= limits_.max_per_peer) return nullptr;
  std::unique_ptr<Ticket> ticket(new Ticket(*this, name));
  ++from.connections;
  ticket->counted_in_ = &handshaking_;
  ++handshaking_;
  return ticket;
}

bool Admission::classify(Ticket& ticket, Traffic traffic) {
  if (ticket.counted_in_ != nullptr) --*ticket.counted_in_;
  ticket.counted_in_ = nullptr;
  std::size_t& count = traffic == Traffic::kHub ? hubs_ : staff_;
  if (count >= (traffic == Traffic::kHub ? limits_.max_hubs : limits_.max_staff)) return false;
  ticket.counted_in_ = &count;
  ++count;
  return true;
}

bool Admission::allow_request(const std::string& name, Clock::time_point now) {
  Peer& from = peer(name, now);
  refill(from, now);
  if (from.budget < 1) return false;
  from.budget -= 1;
  return true;
}

Admission::Peer& Admission::peer(const std::string& name, Clock::time_point now) {
  if (peers_.size() >= sweep_at_) forget_idle_peers(now);
  const auto [found, is_new] = peers_.try_emplace(name);
  if (is_new) found->second = {0, limits_.request_burst, now};
  return found->second;
}

void Admission::refill(Peer& peer, Clock::time_point now) const {
  const double elapsed = std::chrono::duration<double>(now - peer.counted_at).count();
  peer.budget = std::min(limits_.request_burst, peer.budget + std::max(0.0, elapsed) * limits_.requests_per_second);
  peer.counted_at = now;
}

// A peer without connections and with a full budget is as good as one never seen.
void Admission::forget_idle_peers(Clock::time_point now) {
  std::erase_if(peers_, [&](const auto& entry) {
    Peer peer = entry.second;
    refill(peer, now);
    return peer.connections == 0 && peer.budget >= limits_.request_burst;
  });
  sweep_at_ = std::max<std::size_t>(1024, peers_.size() * 2);
}

}  // namespace tillsyn::http
