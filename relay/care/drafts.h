#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "relay/care/orders.h"

namespace tillsyn::care {

// Orders that still lack a signature. A draft is {"payload": text, "signatures": [signature or null, …]}, one place for
// each of the payload's signers. It binds nobody; only those whom it names see it. That it was made or taken back is in
// the log (`draft_made`, `draft_dropped`, its type as reason), as each right that is ordered and each decision on it is
// to be.

// How long a draft is kept: after this its first signature would have to wait, "late".
inline constexpr std::chrono::hours kDraftLife{10};

struct Draft {
  std::string id;
  Json body;
  orders::Payload payload;
  Instant expires_at;

  std::string text() const { return body["payload"].get<std::string>(); }
};

// The drafts in which `person` is named as a signer, by their end, then id.
Result<std::vector<Draft>> drafts_for(Provider& provider, const orders::Person& person, Instant now);

// Keeps the draft; the person must be one of its signers and have signed. {"id"} of it. kMalformed; kRefused
// "bad_signature", "person_mismatch", "too_many_drafts".
Result<std::string> add_draft(Provider& provider, const Json& draft, const orders::Person& person, Instant now);

// Adds the person's signature at the place that is the person's. When it was the last one, the draft becomes an order
// and accept_order's answer is given; a draft that cannot become one stays until it runs out or is deleted.
Result<std::optional<Accepted>> sign_draft(Provider& provider, const Trusted& trusted, const std::string& id,
                                           const Json& signature, const orders::Person& person, Instant now);

// kNotFound "no_draft" also when the person is not named in it.
Result<void> delete_draft(Provider& provider, const std::string& id, const orders::Person& person, Instant now);

}  // namespace tillsyn::care
