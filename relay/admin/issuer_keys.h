#pragma once

#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/orders/bundle.h"
#include "common/orders/root_list.h"
#include "relay/admin/report.h"

namespace tillsyn::admin {

// The signing keys in a JWKS text, with public members only, as JWKs. Keys of no use for signatures are left out; one
// that shows private members, or that nobody can read, is left out with an alarm. kMalformed when it is no JWKS or none
// is left.
Result<std::vector<Json>> read_jwks(std::string_view text, const std::string& issuer, Report& report);

// What follows in the next bundle on `previous` (nullptr: this issuer was in none) now that the issuer shows `jwks`:
//   a key held already counts on; one that had vanished and is back, and is not revoked, counts again at once
//   a new key counts from `now` + the issuer's new_key_delay, with an alarm; at once if there were no keys before
//   a key no longer shown counts until `now`; one that never counted is forgotten
//   another key under a held kid is not taken, with an alarm
//   beyond the 64 keys that a bundle holds of an issuer, those retired longest are forgotten
std::vector<orders::IssuerKey> next_keys(const orders::Issuer& issuer, const std::vector<Json>& jwks,
                                         const orders::IssuerKeys* previous,
                                         const std::vector<orders::RevokedKey>& revoked, Instant now, Report& report);

}  // namespace tillsyn::admin
