#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "common/orders/payloads.h"
#include "relay/care/provider.h"
#include "relay/care/provider_index.h"
#include "relay/care/trust_store.h"

namespace tillsyn::identity {

// Whom a bearer token stands for.
struct Session {
  std::string provider;
  bool is_trust_machine = false;  // then without a person and rights, but may read orders and log
  orders::Person person;
  Instant expires_at;  // unless it is used before; never past max_auth_age
};

// Sessions: opened by the staff key with the ID token that it is bound to, or by a bundle key. Held in memory only, the
// tokens as hashes; a restart ends them all. There is no other way in.
// Threads: thread-bound, but for provider_of.
class Sessions {
 public:
  struct Terms {
    std::chrono::seconds inactivity{15 * 60};
    std::chrono::seconds challenge_life{60};
    std::size_t max_challenges = 4096;  // the oldest go first
    std::size_t max_sessions = 16384;   // more are refused, "too_many_sessions"
    std::size_t max_of_provider = 4096;
    std::size_t max_of_person = 16;  // the one that was not used longest ends
  };

  Sessions() : Sessions(Terms()) {}
  explicit Sessions(Terms terms) : terms_(terms) {}

  // 32 fresh bytes, base64url, good once.
  std::string challenge(Instant now);

  struct Opened {
    std::string token;  // 32 random bytes, base64url
    Session session;
    std::vector<orders::Right> rights;
  };

  // Opens a session by the body of `POST /v1/session` (PROTOCOL.md) received under the host name `host`. The challenge
  // is used up whatever comes of it. Refused: "malformed", "unknown_challenge", "wrong_relay" (the host is not in the
  // root list), "bad_signature", "root_list_expired", "bundle_expired", all of orders::check_id_token and check_fresh,
  // "no_grant" (no right at all here).
  Result<Opened> open(const Json& body, const std::string& host, const care::Provider& provider,
                      const care::Trusted& trusted, Instant now);

  // The session of a token, which counts as activity. Refused, "no_session": unknown, closed, run out.
  Result<Session> authenticate(const std::string& token, Instant now);

  // The same without counting as activity.
  Result<Session> look_up(const std::string& token, Instant now) const;

  // Ends it; what it was, if it was there.
  std::optional<Session> close(const std::string& token, Instant now);

  // Whose staff, or trust machine, the token was given to, unless it is known to have ended. Thread-safe.
  std::optional<std::string> provider_of(const std::string& token) const;

 private:
  struct Held {
    Session session;
    Instant last_used;
    Instant ends_at;  // whatever is done
  };

  bool take_challenge(const ByteArray<32>& challenge, Instant now);
  void drop_ended(Instant now);
  void drop(const ByteArray<32>& key);
  void make_room_for(const Session& session);
  std::size_t count_of(const std::string& provider) const;
  bool has_ended(const Held& held, Instant now) const;
  Result<Opened> open_staff(JsonReader& in, const ByteArray<32>& challenge, const std::string& host,
                            const care::Provider& provider, const care::Trusted& trusted, Instant now);
  Result<Opened> open_trust_machine(JsonReader& in, const ByteArray<32>& challenge, const std::string& host,
                                    const care::Provider& provider, const care::Trusted& trusted, Instant now);
  Result<Opened> keep(Session session, Instant ends_at, std::vector<orders::Right> rights, Instant now);

  Terms terms_;
  std::map<std::string, Instant> challenges_;  // -> made at
  std::map<ByteArray<32>, Held> sessions_;     // by SHA-256 of the token
  care::ProviderIndex index_;                  // of the same
};

}  // namespace tillsyn::identity
