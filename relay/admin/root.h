#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/crypto/ed25519.h"
#include "common/orders/root_list.h"

// Root lists and fleet roots, made and told of. Threads: reentrant.
namespace tillsyn::admin {

// A fleet root of these keys. Refused "fleet_root": a key twice, a threshold that cannot be met, too many keys.
Result<std::string> make_fleet_root(std::int64_t threshold, const std::vector<crypto::Ed25519PublicKey>& keys);

// The root list that `spec` (PROTOCOL.md's payload without issued_at and expires_at) describes, made at `now` for
// `days`, in an envelope signed by each key. Refused "root_list": a spec that does not parse, days beyond 1-400, no
// key, one twice.
Result<std::string> make_root_list(std::string_view spec, std::chrono::days days,
                                   const std::vector<crypto::Ed25519PrivateKey>& keys, Instant now);

// Something of a root list that runs out.
struct Ending {
  std::string what;
  Instant at;
};

// The root list itself and every certificate in it, soonest first. A certificate that cannot be read ends in 1970.
std::vector<Ending> endings(const orders::RootList& list);

// What the list says, in plain words, and what of it ends within 60 days of `now` or has ended.
std::string describe(const orders::RootList& list, Instant now);

}  // namespace tillsyn::admin
