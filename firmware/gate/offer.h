#pragma once

#include <string>
#include <string_view>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/ledger/checkpoint.h"
#include "common/ledger/proof.h"
#include "common/orders/bundle.h"
#include "common/orders/order.h"

namespace tillsyn::gate {

constexpr std::size_t kMaxOfferBytes = std::size_t{128} * 1024;

// A view as the relay hands it over, with the proofs that it stands in the provider's log (PROTOCOL.md, "Offer").
struct Offer {
  std::string order;  // as text, not read
  std::uint64_t seq = 0;
  Instant time;
  std::string checkpoint;  // signed note
  ledger::Proof inclusion;
  ledger::Proof from_hub;
  ledger::Proof from_viewer;
  ledger::Proof from_bundle;
};

// Form only. Reason: "malformed". Threads: reentrant, both.
Result<Offer> parse_offer(std::string_view json);

// Whether the order stands, as it was signed, in the log whose checkpoint the offer brings; and whether that log is the
// one that the hub (`held`), the viewer and the bundle have seen, only grown. The checkpoint, for the hub to remember.
// Refused "no_ledger_entry" without sound checkpoint and inclusion, "ledger_older" if the log has shrunk against one of
// the three, "ledger_forked" if it is another.
Result<orders::LogPoint> check_log(const Offer& offer, const orders::Order& order, const orders::View& view,
                                   const orders::Provider& provider, const orders::Bundle& bundle,
                                   const orders::LogPoint& held);

}  // namespace tillsyn::gate
