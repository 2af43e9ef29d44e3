#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "relay/http/api.h"
#include "relay/http/budgets.h"
#include "relay/http/limits.h"
#include "relay/http/share.h"

namespace tillsyn::http {

// Why something is not served: a word for log and figures.
using Refusal = const char*;

// Counts connections by class, by provider and, of strangers, by peer address, and requests by provider and by caller;
// says when it is enough. A stranger has shown no token and no link key that a provider has given out. Where there is
// no room the stranger that has kept a place longest without asking anything gives up its own: so nobody is locked out
// by connections that are merely held. Threads: thread-bound, tickets too. Must outlive its tickets.
class Admission {
 public:
  using Clock = Budgets::Clock;

  explicit Admission(const Limits& limits);

  // One connection's place, given back when it is destroyed.
  class Ticket {
   public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    const std::string& provider() const { return provider_; }

   private:
    friend class Admission;
    enum class Stage { kShakingHands, kServed, kOut };
    Ticket(Admission& owner, std::string peer, std::function<void()> close)
        : owner_(owner), peer_(std::move(peer)), close_(std::move(close)) {}
    Admission& owner_;
    std::string peer_;
    std::function<void()> close_;
    Stage stage_ = Stage::kShakingHands;
    Traffic traffic_ = Traffic::kStaff;
    std::string provider_;                                 // empty: a stranger's
    std::optional<std::list<Ticket*>::iterator> waiting_;  // among those that could give up their place
  };

  // A place among those that shake hands; null when there is none for this peer. `close` ends the connection when its
  // place is given to another.
  std::unique_ptr<Ticket> enter(const std::string& peer, std::function<void()> close);

  // The handshake is over: moves the connection to its class, and to its provider if that is known. Null, or why there
  // is no place for it there: it is then to be told so and closed.
  Refusal classify(Ticket& ticket, Traffic traffic, const std::string& provider);

  // A stranger's connection has turned out to be a provider's (empty: nothing changes). As above.
  Refusal belongs(Ticket& ticket, const std::string& provider);

  // A handler has the connection; or none has any more, and it waits for a request.
  void is_served(Ticket& ticket);
  void is_idle(Ticket& ticket);

  // Takes one request from its caller's and its provider's budgets. Null, or whose is used up.
  Refusal refuse_request(const Share& share, Traffic traffic, Clock::time_point now);

  std::size_t connections(Traffic traffic) const { return of_class_[index_of(traffic)]; }

 private:
  struct Peer {
    std::size_t strangers = 0;
    std::size_t shaking_hands = 0;
  };
  using Counts = std::array<std::size_t, 2>;  // by class

  static std::size_t index_of(Traffic traffic) { return static_cast<std::size_t>(traffic); }
  void leave_strangers(Ticket& ticket);
  void leave(Ticket& ticket);
  void stop_waiting(Ticket& ticket);
  void evict(Ticket& ticket);
  bool make_room_at(const std::string& peer);
  bool make_room_in(Traffic traffic);
  void make_room_for_handshake();

  Limits limits_;
  Budgets callers_;
  std::array<Budgets, 2> of_providers_;  // by class
  Counts of_class_{};
  std::unordered_map<std::string, Counts> of_provider_;
  std::unordered_map<std::string, Peer> peers_;  // of strangers
  std::list<Ticket*> shaking_hands_;             // the oldest first
  std::list<Ticket*> idle_;                      // strangers without a request, the longest first
};

}  // namespace tillsyn::http
