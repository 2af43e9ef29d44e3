#pragma once

#include <functional>

#include "firmware/link/gate_session.h"
#include "firmware/link/http.h"

namespace tillsyn::link {

// GET /hub/v1/trust: root list and bundle for a hub that cannot poll, because it is not enrolled yet or because its TLS
// check of the relay fails. What comes proves itself to gate. Threads: thread-bound.
class TrustFetch {
 public:
  // Borrows both.
  TrustFetch(Http& http, GateSession& gate) : http_(http), gate_(gate) {}
  ~TrustFetch() { http_.cancel(ticket_); }
  TrustFetch(const TrustFetch&) = delete;
  TrustFetch& operator=(const TrustFetch&) = delete;

  // Fetches and hands what comes to gate, then calls `done`. A fetch under way is given up.
  void fetch(const Relay& relay, TlsCheck tls, std::function<void(Result<void>)> done);

  bool is_busy() const { return ticket_ != 0; }

 private:
  Http& http_;
  GateSession& gate_;
  Http::Ticket ticket_ = 0;
};

}  // namespace tillsyn::link
