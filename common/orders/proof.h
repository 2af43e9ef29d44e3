#pragma once

#include <string>
#include <string_view>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/bundle.h"
#include "common/orders/names.h"
#include "common/orders/root_list.h"

namespace tillsyn::orders {

// Who an ID token says holds a staff key, every check but that of time done.
struct Identity {
  Person person;
  Instant auth_time;  // when the person last authenticated at the identity provider
  Instant issued_at;
};

// Checks an ID token exactly as PROTOCOL.md "ID token" says, for a key bound by `nonce` (see staff_nonce) at
// `provider`. The first of these that applies: refused "bad_id_token" (form, algorithm, kid), "unknown_issuer",
// "revoked_key", waiting "unknown_kid", refused "bad_id_token" (signature; iat, auth_time or person claim missing),
// "retired_key" (the key did not count when the token was issued), "wrong_audience", "acr_too_low", "nonce_mismatch".
Result<Identity> check_id_token(std::string_view id_token, std::string_view nonce, const Provider& provider,
                                const RootList& list, const Bundle& bundle);

// For acts and sessions: −60 s ≤ now − auth_time ≤ max_auth_age. Refused "auth_in_future" or "auth_too_old".
Result<void> check_fresh(const Identity& identity, const Issuer& issuer, Instant now);

// For standing orders and outcomes: the same of signed_at − auth_time; refused "auth_in_future" if signed_at is more
// than 300 s ahead of now.
Result<void> check_signed_at(const Identity& identity, const Issuer& issuer, Instant signed_at, Instant now);

// Waiting "late" if it was signed more than 10 h ago. Not asked of what only closes.
Result<void> check_in_time(Instant signed_at, Instant now);

}  // namespace tillsyn::orders
