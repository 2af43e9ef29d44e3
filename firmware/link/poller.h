#pragma once

#include <string_view>

#include "firmware/link/gate_session.h"
#include "firmware/link/http.h"
#include "firmware/link/outbox.h"
#include "firmware/link/relays.h"
#include "firmware/link/trust_fetch.h"

namespace tillsyn::link {

// Heartbeat and command channel in one: asks gate for its status with a fresh challenge, posts it, hands what comes to
// gate, and begins again. A gate that is away, or silent for 2 s, is a null status. Threads: thread-bound.
class Poller {
 public:
  static constexpr Milliseconds kGatePatience{2000};
  static constexpr Milliseconds kPollTimeout{40000};  // the relay answers within 25 s
  static constexpr Milliseconds kShortest{100};       // between polls that are answered at once
  static constexpr Milliseconds kTrustPause{60000};   // between fetches of a hub that is not enrolled

  // Borrows all.
  Poller(Http& http, GateSession& gate, RelayChoice& relays, Outbox& outbox)
      : http_(http), gate_(gate), relays_(relays), outbox_(outbox), trust_(http, gate) {}
  ~Poller() { http_.cancel(ticket_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void tick(TimePoint now, bool enrolled);

  // Gate's kPollStatus.
  void status_arrived(std::string_view status, TimePoint now);

  // Gate has come or gone: a poll under way tells of a past state and is given up.
  void begin_anew(TimePoint now);

 private:
  enum class State { kResting, kAsking, kPolling };

  void ask(const Relay& relay, TimePoint now);
  void post(const Relay& relay, const Json& status, TimePoint now);
  void answered(const Result<Reply>& reply);
  void take(const Json& answer);
  void fetch_trust(TlsCheck tls);

  Http& http_;
  GateSession& gate_;
  RelayChoice& relays_;
  Outbox& outbox_;
  TrustFetch trust_;
  State state_ = State::kResting;
  Http::Ticket ticket_ = 0;
  TimePoint next_{};      // when resting
  TimePoint deadline_{};  // when asking
  TimePoint begun_{};
  TimePoint next_trust_{};
};

}  // namespace tillsyn::link
