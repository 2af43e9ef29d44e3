#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/ledger/entry.h"
#include "common/orders/order.h"
#include "relay/care/provider.h"
#include "relay/care/trust_store.h"

namespace tillsyn::care {

// The text behind an outcome's `note`: stored under the resident's key, never in the order.
struct Note {
  ByteArray<32> salt{};
  std::string text;
};

struct Accepted {
  orders::Hash hash{};
  ledger::Entry entry;
  bool is_new = false;  // false: it had been accepted before, and this is what was answered then
  std::optional<std::vector<std::string>> hubs{};  // whom it concerns, as hubs_concerned
};

// Judges an order that is not an act and, if it is accepted, makes it durable together with its log entry. Every
// refusal but a repeated one is entered too, under `poster`. Failures carry a word of PROTOCOL.md, "Refusals":
// kRefused, kWaiting (send it again when what it stands on is here), or kConflict for slot_taken, superseded and
// wrong_predecessor (see `holder_of`). Threads: thread-bound, as everything in this folder.
Result<Accepted> accept_order(Provider& provider, const Trusted& trusted, const std::string& order,
                              const std::optional<Note>& note, const orders::Person& poster, Instant now);

// The order's JSON that holds the slot which `order` wants; null if none does.
Json holder_of(const Provider& provider, const std::string& order);

// The items of `GET /v1/orders`: every standing order this relay has accepted and the outcomes of the last three days,
// in the order of acceptance, at most `limit` from after the n-th on, with what hubs have signed about them.
Result<Json> order_items(Provider& provider, std::int64_t after, std::size_t limit, Instant now);

// Enters a refused order in the log; `reason` a machine word.
Result<void> enter_refusal(Provider& provider, const std::string& order, const std::string& reason,
                           const orders::Person& poster, Instant now);

}  // namespace tillsyn::care
