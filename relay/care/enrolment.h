#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "relay/care/provider_index.h"
#include "relay/store/database.h"

namespace tillsyn::care {

struct EnrolledHub {
  std::string id;
  std::string provider;
  crypto::P256PublicKey device_key;
  bool is_new = false;  // enrolled by this call
};

// Which hub speaks under which link key. Kept beside the providers, as the relay learns here whose a hub is.
// Threads: thread-bound, but for provider_of_link.
class Enrolment {
 public:
  static constexpr std::chrono::hours kCodeLife{24};
  static constexpr int kMaxTries = 10;

  // Borrows `shared`.
  static Result<std::unique_ptr<Enrolment>> open(store::Database& shared);

  // A new one-time code for the hub, 16 letters of the alphabet without look-alikes (72 bits); an older one ends. Only
  // its hash is kept. It is bound to the hub and good once, for kCodeLife.
  struct OneTimeCode {
    std::string code;
    Instant expires_at;
  };
  Result<OneTimeCode> make_code(const std::string& provider, const std::string& hub, Instant now);

  // Binds the link key to the hub whose device key signed for it. Refused: "bad_code" (unknown, another hub's, used,
  // run out), "bad_signature", "wrong_device_key", "wrong_link_key" (the envelope names another than `link_key`),
  // "replayed" (not newer than the link key it has). Asked again under the link key it has: the same answer, not new.
  // Nothing changes then; but a code is spent after kMaxTries wrong
  // uses for its hub.
  Result<EnrolledHub> enrol(const std::string& code, const Json& link_key_envelope, ByteView link_key, Instant now);

  // Refused "unknown_link_key".
  Result<EnrolledHub> find(ByteView link_key);
  Result<EnrolledHub> of(const std::string& hub);
  Result<std::vector<EnrolledHub>> all();

  // The provider under which the code for this hub was made: for logging what was refused.
  std::optional<std::string> provider_of(const std::string& hub);

  // The provider of the hub that has this link key. Thread-safe.
  std::optional<std::string> provider_of_link(ByteView link_key) const;

 private:
  explicit Enrolment(store::Database& shared) : shared_(shared) {}

  store::Database& shared_;
  ProviderIndex links_;
};

}  // namespace tillsyn::care
