#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/base/json.h"
#include "firmware/link/gate_session.h"
#include "firmware/link/http.h"
#include "firmware/link/relays.h"
#include "firmware/link/trust_fetch.h"

namespace tillsyn::link {

// As which hub of which provider the relay knows this link key.
struct Enrolled {
  std::string hub;
  std::string provider;
};

// Trades a one-time code for the right to poll: gate signs the link key, the relay takes both. What came of it is kept
// in `directory`/enrolled.json. Threads: thread-bound.
class Enrolment {
 public:
  static constexpr Milliseconds kPatience{30000};
  static constexpr std::size_t kMinCode = 6;
  static constexpr std::size_t kMaxCode = 64;

  using Done = std::function<void(Result<Enrolled>)>;

  // Borrows http, gate and relays. An enrolled.json that cannot be read counts as none.
  Enrolment(std::string directory, const LinkKey& key, Http& http, GateSession& gate, RelayChoice& relays);
  ~Enrolment() { http_.cancel(ticket_); }
  Enrolment(const Enrolment&) = delete;
  Enrolment& operator=(const Enrolment&) = delete;

  // Begins; `done` is called once. `first_relay` is where a hub without a root list finds its first one. Refused
  // "enrolment" while another is under way or if code or relay have no such form.
  void begin(const std::string& code, const std::optional<std::string>& first_relay, TimePoint now, Done done);

  // Gate's kLinkKeyEnvelope.
  void envelope_arrived(std::string_view envelope);

  void tick(TimePoint now);

  // Who the relay takes us for, if it is this hub.
  bool is_enrolled(const std::string& hub) const { return enrolled_ && enrolled_->hub == hub; }
  const std::optional<Enrolled>& enrolled() const { return enrolled_; }

 private:
  enum class Step { kIdle, kRelay, kEnvelope, kPosting };

  void fetch_first_trust(const std::string& host);
  void answered(const Result<Reply>& reply);
  Result<Enrolled> keep(const Json& answer);
  void end(Result<Enrolled> result);

  std::string path_;
  ByteArray<ipc::kLinkKeyBytes> point_;
  Http& http_;
  GateSession& gate_;
  RelayChoice& relays_;
  TrustFetch trust_;
  std::optional<Enrolled> enrolled_;
  Step step_ = Step::kIdle;
  std::string code_;
  Done done_;
  TimePoint deadline_{};
  Http::Ticket ticket_ = 0;
};

}  // namespace tillsyn::link
