#pragma once

#include <string>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// Residents who have become protected (TEN-3): their names are shown to nobody but care managers, and no view of them
// goes to a hub, from the moment on that this is durable. That their hub closes at once is a signed pause's to say,
// which the relay cannot make; it comes with the word of it (`PUT /v1/residents/{resident}/protection`).
Result<bool> is_protected(Provider& provider, const std::string& resident);

// Entered as `resident_protected` and `resident_unprotected`, each once. Failures are the store's; of `unprotect` also
// kNotFound "not_protected".
Result<void> protect(Provider& provider, const std::string& resident, const orders::Person& by, Instant now);
Result<void> unprotect(Provider& provider, const std::string& resident, const orders::Person& by, Instant now);

// Whether a decision and consent stand, so that there is something to pause.
Result<bool> has_consent(Provider& provider, const std::string& resident);

}  // namespace tillsyn::care
