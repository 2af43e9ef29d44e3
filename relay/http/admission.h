#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "relay/http/api.h"
#include "relay/http/limits.h"

namespace tillsyn::http {

// Counts connections by peer address and by class, and requests by peer address, and says when it is enough.
// Threads: thread-bound, tickets too. Must outlive its tickets.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Admission(const Limits& limits) : limits_(limits) {}

  // One connection's place, given back when it is destroyed.
  class Ticket {
   public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

   private:
    friend class Admission;
    Ticket(Admission& owner, std::string peer) : owner_(owner), peer_(std::move(peer)) {}
    Admission& owner_;
    std::string peer_;
    std::size_t* counted_in_ = nullptr;
  };

  // A place among those that shake hands; null when there is none left, or none left for this peer.
  std::unique_ptr<Ticket> enter(const std::string& peer);

  // Moves the connection from the hand-shakers to its class. False when the class is full: the connection then counts
  // nowhere but by its peer and is to be told so and closed.
  bool classify(Ticket& ticket, Traffic traffic);

  // Takes one request from the peer's budget; false when it is used up.
  bool allow_request(const std::string& peer, Clock::time_point now);

  std::size_t connections(Traffic traffic) const { return traffic == Traffic::kHub ? hubs_ : staff_; }

 private:
  struct Peer {
    std::size_t connections = 0;
    double budget = 0;
    Clock::time_point counted_at{};
  };

  Peer& peer(const std::string& name, Clock::time_point now);
  void refill(Peer& peer, Clock::time_point now) const;
  void forget_idle_peers(Clock::time_point now);

  Limits limits_;
  std::size_t handshaking_ = 0;
  std::size_t hubs_ = 0;
  std::size_t staff_ = 0;
  std::unordered_map<std::string, Peer> peers_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace tillsyn::http
