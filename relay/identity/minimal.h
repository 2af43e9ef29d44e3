#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace tillsyn::identity {

// An ID token is kept with every order that it proves, in the relay and in homes. So it may say of a member of staff
// who it is, by the claim that the root list names (`person_claim`), and nothing else of the person (PRI-10).
//
// Refused "too_many_claims", naming the claim, when it holds another of OpenID Connect Core §5.1's claims or of the
// Swedish profile's. The token has been verified. Threads: reentrant.
Result<void> check_minimal(std::string_view id_token, const std::string& person_claim);

}  // namespace tillsyn::identity
