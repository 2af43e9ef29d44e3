#pragma once

#include <optional>
#include <string_view>

#include "firmware/link/gate_session.h"
#include "firmware/link/http.h"
#include "firmware/link/outbox.h"
#include "firmware/link/relays.h"

namespace tillsyn::link {

// Posts what gate has signed, and a changed status, as soon as there is any: one report at a time, tried again until
// the relay has taken it. Tells gate which events are durable there. Threads: thread-bound.
class Reporter {
 public:
  // Borrows all.
  Reporter(Http& http, GateSession& gate, RelayChoice& relays, Outbox& outbox)
      : http_(http), gate_(gate), relays_(relays), outbox_(outbox) {}
  ~Reporter() { http_.cancel(ticket_); }
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  void tick(TimePoint now, bool enrolled);

  // Gate's kStatusChanged.
  void status_changed(std::string_view status);
  void gate_is_down();

  const Json& status() const { return status_; }  // the newest; null if gate is away or has not said

 private:
  void post(const Relay& relay);
  void answered(const Result<Reply>& reply, bool with_status);

  Http& http_;
  GateSession& gate_;
  RelayChoice& relays_;
  Outbox& outbox_;
  Http::Ticket ticket_ = 0;
  TimePoint next_{};
  Json status_;
  bool changed_ = false;
};

}  // namespace tillsyn::link
