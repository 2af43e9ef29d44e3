#pragma once

#include <optional>
#include <string>

#include "common/base/instant.h"
#include "common/civil/schedule.h"
#include "common/orders/bundle.h"
#include "common/orders/order_book.h"
#include "common/orders/root_list.h"
#include "firmware/board/clock.h"

namespace tillsyn::gate {

// Everything that a decision stands on, verified and in force as far as its keeper knows. Borrowed for the call.
struct Standing {
  std::string_view hub;
  const orders::OrderBook& book;
  const orders::RootList* root_list;  // null: none held
  const orders::Bundle* bundle;       // null: none held
  bool is_paused_by_resident = false;
};

// Whether a camera may look, and for how long.
struct Opening {
  std::string reason;           // a word of PROTOCOL.md ("Refusals"); empty: open
  Instant until;                // of open: the first instant, by what is known now, at which it no longer is
  std::optional<Instant> next;  // of outside_window: when the schedule opens next

  bool is_open() const { return reason.empty(); }
};

// The only place in the firmware that knows the rules; everything else asks, again and again, and keeps no answer.
// Pure: no I/O, no clock of its own. Threads: reentrant.
//
// May the hub's camera look at `clock`? Closed with the first reason that applies: clock_untrusted, bundle_missing (or
// no root list), root_list_expired, bundle_expired, hub_revoked, no_assignment, paused_by_resident, then those of
// OrderBook::schedule_in_force, outside_window. When in doubt the camera does not look.
Opening judge_opening(const Standing& standing, const board::ClockReading& clock);

// May `viewer`, whose verified view order named `group`, look? As above, and then whether the person is an operator
// there still (reasons of orders::check_right).
Opening judge_viewer(const Standing& standing, const board::ClockReading& clock, const orders::Person& viewer,
                     const std::string& group);

// May `tester`, an installer whose verified test-view named `group`, look? Closed with the first reason that applies:
// those of trust as in judge_opening, no_assignment, paused_by_resident, consent_withdrawn, not_paused (accepted, and
// no pause runs), then those of orders::check_right. Whether somebody is at the button, and for how long the test may
// last, is the view desk's.
Opening judge_tester(const Standing& standing, const board::ClockReading& clock, const orders::Person& tester,
                     const std::string& group);

// The schedule that is in force, or null: for telling when windows open and close.
const civil::Schedule* schedule_now(const Standing& standing, const board::ClockReading& clock);

}  // namespace tillsyn::gate
