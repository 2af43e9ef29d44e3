#pragma once

#include <string_view>
#include <vector>

#include "common/orders/order_book.h"
#include "relay/admin/relay.h"
#include "relay/admin/replay.h"
#include "relay/admin/report.h"

namespace tillsyn::admin {

// What the municipality's machine finds to stand at one provider, judging each handed order by itself.
//
// An order counts if it lies in the replayed log exactly where the relay says, and was right at the time of its entry,
// by the keys and revocations of `bundle`. One newer than the replayed log counts next time. Alarms: an order that is
// not in the log, one that does not hold, and one of the log that nobody hands out.
orders::OrderBook judge_orders(const std::vector<HandedOrder>& handed, const Replay& log,
                               const orders::Provider& provider, const orders::RootList& list,
                               const orders::Bundle& bundle, Report& report);

// The homes of the book, without revoked hubs, sorted by hub.
std::vector<orders::HomeLeaf> homes_of(const orders::OrderBook& book, const orders::Bundle& bundle);

// What a bundle tells of the homes: how many hubs each group has, and their root.
void count_homes(const std::vector<orders::HomeLeaf>& homes, orders::ProviderState& state);

// The file that the staff app checks its own list of homes against: a JSON list of the leaves, named by their root.
std::string homes_file_name(const orders::Hash& root);
std::string homes_file_text(const std::vector<orders::HomeLeaf>& homes);

}  // namespace tillsyn::admin
