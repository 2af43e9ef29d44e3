#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/bundle.h"
#include "common/orders/judge.h"
#include "common/orders/order.h"
#include "common/orders/refusals.h"
#include "common/orders/rights.h"

namespace tillsyn::orders {

// The place that a standing order fills.
struct Slot {
  std::string name;   // "person/…", "device", "assignment", "acceptance", "consent", "schedule", "pause"
  std::string owner;  // the hub, the resident, or empty for a person

  friend auto operator<=>(const Slot&, const Slot&) = default;
};

std::optional<Slot> slot_of(const Body& body);  // none: acts and outcomes

// What stands in a slot, as receipts and status list it.
struct SlotEntry {
  std::string slot;
  std::int64_t version = 0;
  Hash order{};

  friend bool operator==(const SlotEntry&, const SlotEntry&) = default;
};

// What is needed to know before `order` can be judged: the slots of its signers, and of what it builds on (an assignment on
// its device, an acceptance on its assignment, a schedule on its consent, a view on all of them). Their orders may stand on
// others in turn. The order's own slot is not among them.
std::vector<Slot> dependencies(const Order& order);

// SHA-256 over the entries, which must be sorted by slot (PROTOCOL.md, "Head").
Hash head_of(const std::vector<SlotEntry>& entries);

// The orders that stand at one provider, in memory. The owner judges each order before putting it, persists the texts, and
// puts them again when it starts, in the order in which they were accepted.
//
// An assignment without countersign is kept beside its slot: the next version counts from it, but it stands nowhere else,
// not in heads, slots or orders in force, until `countersigned` names it.
//
// Pointers to orders stay good until the next put, countersigned or destruction. Threads: thread-bound.
class OrderBook : public RightsSource {
 public:
  // Whether the order may take its place among those held. Accepted as well if it holds its slot already. The first that
  // applies:
  //   versions: waiting version_gap; refused slot_taken, superseded, wrong_predecessor
  //   assignment: waiting no_device; refused not_two_people (its signer has signed the device order), wrong_resident (the
  //     hub serves another and is not released)
  //   acceptance: waiting no_assignment (not the one it names), not_countersigned
  //   release: refused no_assignment, wrong_resident, wrong_home
  //   schedule: waiting no_consent; refused consent_withdrawn, beyond_consent
  //   view: waiting no_assignment; refused wrong_resident, wrong_camera
  //   of them all, against the assignment in force and the consent: refused group_not_in_scope; but for orders that only
  //     close also wrong_home; an outcome for a resident nobody knows is waiting no_consent
  Verdict check(const Order& order) const;

  // The order that stands in the way of a slot_taken, superseded or wrong_predecessor one; nullptr if its slot is empty.
  const Order* holder(const Order& order) const;

  // judge() with the book as its source of rights, then check().
  Verdict judge_and_check(const Order& order, std::string_view provider, const RootList& list, const Bundle& bundle,
                          Instant now) const;

  // Precondition: accepted. Acts and outcomes are not kept. Putting the holder again changes nothing.
  void put(Order order);

  // The hub has signed that its button was held for this assignment. Without effect if no such assignment waits for it.
  void countersigned(const Hash& assignment);
  bool is_countersigned(const Hash& assignment) const;

  PersonRights rights_of(const Person& person) const override;

  // What a slot holds; nullptr if nothing. For the slot "assignment" only what has been countersigned.
  const Order* at(const Slot& slot) const;
  // Every order held, those waiting for a countersign included, sorted by slot.
  std::vector<const Order*> all() const;

  // The orders that count in one home. The slots' holders are given even if they have lapsed; `schedule_in_force` tells.
  std::vector<SlotEntry> slots(std::string_view hub, std::string_view resident) const;
  Hash head(std::string_view hub, std::string_view resident) const { return head_of(slots(hub, resident)); }

  // The assignment that a hub serves under: countersigned, not released; nullptr if none. And the hubs that serve a
  // resident.
  const Assignment* assignment_of(std::string_view hub) const;
  const Order* assignment_order_of(std::string_view hub) const;
  std::vector<std::string> hubs_of(std::string_view resident) const;

  // The schedule by which the hub may open for its resident at `now`, or why there is none, the first that applies, all
  // refused: "no_assignment", "wrong_resident", "not_accepted", "no_consent", "consent_withdrawn", "wrong_home",
  // "group_not_in_scope", "consent_expired", "no_schedule", "beyond_consent", "paused". Whether a window is open at `now` is
  // for the schedule to say. Allocates nothing but the refusal's texts.
  Result<const civil::Schedule*> schedule_in_force(std::string_view hub, std::string_view resident, Instant now) const;

  // Every home with a hub, for the bundle's homes_root and counts; sorted by hub.
  std::vector<HomeLeaf> homes() const;

 private:
  struct Held {
    Order order;
    bool within_consent = true;  // of schedules
  };

  const Order* newest_in(const Slot& slot) const;
  Result<void> check_version(const Order& order) const;
  Result<void> check_relations(const Order& order) const;

  std::map<Slot, Held, std::less<>> slots_;
  std::map<std::string, Order, std::less<>> uncountersigned_;  // by hub
};

}  // namespace tillsyn::orders
