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

// What is needed to know before `order` can be judged: the slots of its signers, and of what it builds on (an
// assignment on its device, an acceptance on its assignment, a schedule on its consent, a view on all of them). Their
// orders may stand on others in turn. The order's own slot is not among them.
std::vector<Slot> dependencies(const Order& order);

// SHA-256 over the entries, which must be sorted by slot (PROTOCOL.md, "Head").
Hash head_of(const std::vector<SlotEntry>& entries);

// The orders that stand at one provider, in memory. The owner judges each order before putting it, persists the texts,
// and puts them again when it starts, in the order in which they were accepted.
//
// An assignment takes its slot only when `countersigned` names it. Until then it is kept beside the slot, with others
// that would follow the same predecessor (the newest 8 of a hub); it stands nowhere else, not in heads, slots or orders
// in force.
//
// Pointers to orders stay good until the next put, countersigned or destruction. Threads: thread-bound.
class OrderBook : public RightsSource {
 public:
  // Whether the order may take its place among those held: the rules and words of PROTOCOL.md, "Versions" and then
  // "Relations", the first that applies. Accepted as well if it is held already.
  Verdict check(const Order& order) const;

  // What stands in the slot that the order is for; nullptr if nothing, or if it is for none. For a 409.
  const Order* holder(const Order& order) const;

  // judge() with the book as its source of rights, then check().
  Verdict judge_and_check(const Order& order, std::string_view provider, const RootList& list, const Bundle& bundle,
                          Instant now) const;

  // Precondition: accepted. Acts and outcomes are not kept. Putting what is held again changes nothing; an
  // assignment that no longer follows what its slot holds is not kept.
  void put(Order order);

  // The hub has signed that its button was held for this assignment: it takes its slot, and what waited beside it goes.
  // Without effect if no such assignment waits.
  void countersigned(const Hash& assignment);
  bool is_countersigned(const Hash& assignment) const;

  PersonRights rights_of(const Person& person) const override;

  // What stands in a slot; nullptr if nothing.
  const Order* at(std::string_view slot_name, std::string_view owner) const;
  // Every order held, sorted by slot, then the assignments that wait for a countersign.
  std::vector<const Order*> all() const;

  // What stands in the slots of one home, whether or not it is in force; sorted by slot.
  std::vector<SlotEntry> slots(std::string_view hub, std::string_view resident) const;
  Hash head(std::string_view hub, std::string_view resident) const { return head_of(slots(hub, resident)); }

  // The assignment that a hub serves under, countersigned and not released; nullptr if none. And the hubs that serve a
  // resident, sorted.
  const Assignment* assignment_of(std::string_view hub) const;
  std::vector<std::string> hubs_of(std::string_view resident) const;

  // Whether the installation under which the hub serves has been tested and accepted; whether the resident's consent
  // has been withdrawn; whether a pause runs at `now`.
  bool is_accepted(std::string_view hub) const;
  bool is_withdrawn(std::string_view resident) const;
  bool is_paused(std::string_view resident, Instant now) const;

  // The schedule by which the hub may open for its resident at `now`, or why there is none. The first that applies, all
  // refused: "no_assignment", "wrong_resident", "not_accepted", "no_consent", "consent_withdrawn", "wrong_home",
  // "group_not_in_scope", "consent_expired", "no_schedule", "wrong_home", "group_not_in_scope", "beyond_consent",
  // "paused". Whether a window is open at `now` is for the schedule to say. Allocates nothing unless it refuses.
  Result<const civil::Schedule*> schedule_in_force(std::string_view hub, std::string_view resident, Instant now) const;

  // Every home with a hub, for the bundle's homes_root and counts; sorted by hub.
  std::vector<HomeLeaf> homes() const;

 private:
  using SlotView = std::pair<std::string_view, std::string_view>;
  struct SlotLess {
    using is_transparent = void;
    static SlotView view(const Slot& slot) { return {slot.name, slot.owner}; }
    static SlotView view(const SlotView& slot) { return slot; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return view(a) < view(b);
    }
  };

  struct Place {
    std::string_view home;
    std::string_view group;
  };

  template <typename T>
  const T* body_at(std::string_view slot_name, std::string_view owner) const {
    const Order* order = at(slot_name, owner);
    return order == nullptr ? nullptr : std::get_if<T>(&order->payload.body);
  }

  Result<void> check_version(const Order& order) const;
  Result<void> check_relations(const Order& order) const;
  Result<void> check_relations_of(const Order& order, const Assignment& body) const;
  Result<void> check_relations_of(const Order& order, const Acceptance& body) const;
  Result<void> check_relations_of(const Order& order, const Release& body) const;
  Result<void> check_relations_of(const Order& order, const Consent& body) const;
  Result<void> check_relations_of(const Order& order, const ScheduleOrder& body) const;
  Result<void> check_relations_of(const Order& order, const Pause& body) const;
  Result<void> check_relations_of(const Order& order, const Resume& body) const;
  Result<void> check_relations_of(const Order& order, const View& body) const;
  Result<void> check_relations_of(const Order& order, const Outcome& body) const;

  bool is_held(const Order& order) const;
  const Assignment* serving(std::string_view resident) const;
  std::optional<Place> place_of(std::string_view resident) const;
  void keep_beside(Order order);
  void take_slot(Slot slot, Order order);
  void measure_schedule(std::string_view resident);

  std::map<Slot, Order, SlotLess> slots_;
  std::vector<Order> uncountersigned_;
  std::set<std::string, std::less<>> beyond_consent_;  // residents whose schedule does not keep within their consent
};

}  // namespace tillsyn::orders
