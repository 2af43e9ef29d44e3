#pragma once

#include <string_view>

#include "common/base/instant.h"
#include "common/orders/bundle.h"
#include "common/orders/order.h"
#include "common/orders/refusals.h"
#include "common/orders/rights.h"
#include "common/orders/root_list.h"

namespace tillsyn::orders {

// What an order is judged by. Borrows all of it. The caller has made sure that `root_list` and `bundle` are verified,
// and that `now` is to be trusted.
struct JudgeContext {
  std::string_view provider;
  const RootList& root_list;
  const Bundle& bundle;
  const RightsSource& rights;
  Instant now;
};

// Whether an order is what it says it is: signed by the right people, in the right roles, at the right time. Hub, relay
// and trust machine judge by this same code, none by another's verdict. Where the order stands among others (versions,
// homes, groups) is OrderBook::check's to say; presence, challenge, window and clock are the gate's.
//
// The first of these that applies:
//   refused wrong_provider; waiting root_list_expired, bundle_expired; refused hub_revoked (but release), wrong_role,
//   not_two_people, wrong_device_key; for each signature in turn: refused bad_signature, then check_id_token's, then
//   refused person_mismatch, then check_fresh's (acts) or check_signed_at's; for each signer in turn check_right's; for
//   a view waiting bundle_older (it names a bundle that is newer than ours).
Verdict judge(const Order& order, const JudgeContext& context);

}  // namespace tillsyn::orders
