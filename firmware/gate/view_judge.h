#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/orders/order.h"
#include "firmware/board/clock.h"
#include "firmware/gate/challenges.h"
#include "firmware/gate/guard.h"
#include "firmware/gate/offer.h"
#include "firmware/gate/store.h"

namespace tillsyn::gate {

// What became of an offer.
struct JudgedView {
  Opening opening;                           // open, or the first reason that applies
  std::optional<orders::LogPoint> log_seen;  // verified, and not yet remembered
  std::int64_t epoch = 1;                    // the log's, as the bundle says
};

// Judges offers: everything between an operator's press and the camera but the camera itself. Threads: thread-bound.
class ViewJudge {
 public:
  // Borrows `store`.
  explicit ViewJudge(Store& store) : store_(store) {}

  // May the person who signed `order` look now? `order` was parsed from `offer.order`. The first that applies:
  //   type_not_supported (no view), clock_untrusted, bundle_missing, wrong_hub, then orders::judge and
  //   OrderBook::check, then unknown_challenge, replayed, no_ledger_entry, ledger_older, ledger_forked, unknown_head,
  //   then judge_viewer; for a test-view no_presence (nobody has held the button for it), then judge_tester.
  // From unknown_challenge on the order is used up. Fails with kIo only.
  Result<JudgedView> judge(const Offer& offer, const orders::Order& order, const Standing& standing,
                           Challenges& challenges, const board::ClockReading& clock, std::chrono::milliseconds boot,
                           bool is_somebody_here = false);

 private:
  Result<void> check_order(const orders::Order& order, const Standing& standing,
                           const board::ClockReading& clock) const;
  Result<JudgedView> check_history(const Offer& offer, const orders::Order& order, const orders::View& view,
                                   const Standing& standing);

  Store& store_;
};

}  // namespace tillsyn::gate
