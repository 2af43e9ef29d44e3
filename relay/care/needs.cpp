#include "relay/care/needs.h"

#include <algorithm>
#include <deque>
#include <map>

#include "common/orders/names.h"
#include "common/orders/order_book.h"

namespace tillsyn::care {
namespace {

constexpr std::chrono::hours kOutcomesTold{24};

using OrderList = std::vector<const orders::Order*>;

// Whom the hub serves, or will once the assignment is countersigned.
struct Place {
  std::set<std::string> residents;
  std::set<std::string> groups;
};

Place place_of(const OrderList& all, const std::string& hub) {
  Place out;
  for (const orders::Order* order : all) {
    const auto& body = order->payload.body;
    const auto* named = orders::hub_of(body);
    if (!named || *named != hub) continue;
    if (const auto* resident = orders::resident_of(body)) out.residents.insert(*resident);
    if (const auto* group = orders::group_of(body)) out.groups.insert(*group);
  }
  return out;
}

bool lets_look(const orders::Grant& grant, const Place& place) {
  return std::any_of(grant.rights.begin(), grant.rights.end(), [&](const orders::Right& right) {
    return right.role == orders::Role::kOperator &&
           std::any_of(place.groups.begin(), place.groups.end(),
                       [&](const std::string& group) { return orders::scope_holds(right.groups, group); });
  });
}

// What the hub is known to have or to have said about orders.
struct Known {
  std::map<std::string, std::string> slots;      // slot -> order, of its status
  std::map<std::string, std::string> verdicts;   // order -> newest verdict
  std::map<orders::Slot, std::int64_t> reached;  // slot -> newest version that it has accepted
  bool is_blank = false;                         // it holds nothing at all: what it said before does not count
};

Known read_status(const Json& status) {
  Known out;
  const auto slots = status.find("slots");
  if (slots == status.end() || !slots->is_array()) return out;
  for (const Json& entry : *slots) {
    const auto text = [&](const char* name) {
      const auto member = entry.is_object() ? entry.find(name) : entry.end();
      return entry.is_object() && member != entry.end() && member->is_string() ? member->get<std::string>()
                                                                               : std::string();
    };
    out.slots[text("slot")] = text("order");
  }
  out.is_blank = slots->empty();
  return out;
}

Result<Known> known_of(Provider& provider, const std::string& hub, const Json& status) {
  Known out = read_status(status);
  using Text = std::optional<std::string>;
  TILLSYN_TRY(rows,
              (provider.database.select<std::string, std::string, Text, Text, std::optional<std::int64_t>>(
                  "select d.order_hash, d.what, o.slot, o.owner, o.version from documents d left join orders o on "
                  "o.hash = d.order_hash where d.hub = :hub and d.kind = 'receipt' order by d.seq",
                  {hub})));
  for (auto& [order, what, slot, owner, version] : rows) {
    if (what == "accepted" && slot && owner && version && !out.is_blank) {
      auto& newest = out.reached[{*slot, *owner}];
      newest = std::max(newest, *version);
    }
    out.verdicts[order] = std::move(what);
  }
  return out;
}

bool concerns(const orders::Order& order, const std::string& hub, const Place& place, const Known& known) {
  const auto& body = order.payload.body;
  if (std::holds_alternative<orders::Revoke>(body)) return true;
  // Rights that replace others are for whoever was told of those, above all when they are fewer.
  if (const auto* grant = std::get_if<orders::Grant>(&body))
    return lets_look(*grant, place) || known.reached.contains(*orders::slot_of(body));
  if (const auto* named = orders::hub_of(body)) return *named == hub;
  const auto* resident = orders::resident_of(body);
  return resident && place.residents.contains(*resident);
}

bool lacks(const orders::Order& order, const Known& known, const std::set<orders::Hash>& waiting) {
  const std::string hash = to_base64url(order.hash);
  const auto slot = orders::slot_of(order.payload.body);
  const auto held = slot ? known.slots.find(slot->name) : known.slots.end();
  if (held != known.slots.end() && held->second == hash) return false;
  const auto verdict = known.verdicts.find(hash);
  if (verdict == known.verdicts.end()) return true;
  if (verdict->second == "refused") return false;
  if (verdict->second == "waiting") return !waiting.contains(order.hash);
  // Accepted once, and not there any more: it has lost its store, or an older one was put back.
  const bool is_listed = slot && !slot->name.starts_with("person/");
  return known.is_blank || is_listed;
}

// The orders in a sequence in which each comes after those it stands on.
class Gathering {
 public:
  // `all` is the whole book. What waits beside its slot for a countersign comes last in it.
  Gathering(Provider& provider, const Known& known, const OrderList& all) : provider_(provider), known_(known) {
    const auto stands = [&](const orders::Order* order) {
      const auto slot = orders::slot_of(order->payload.body);
      return !slot || provider.book.at(slot->name, slot->owner) == order;
    };
    const auto first = std::find_if(all.rbegin(), all.rend(), stands).base();
    for (auto at = first; at != all.end(); ++at) beside_[*orders::slot_of((*at)->payload.body)].push_back(*at);
  }

  Result<void> add(const orders::Order& order) {
    if (!seen_.insert(order.hash).second) return {};
    TILLSYN_CHECK(add_before(order));
    for (const auto& slot : orders::dependencies(order)) {
      if (const auto* held = provider_.book.at(slot.name, slot.owner)) TILLSYN_CHECK(add(*held));
      for (const orders::Order* held : beside_[slot]) TILLSYN_CHECK(add(*held));
    }
    order_.push_back(&order);
    return {};
  }

  const OrderList& in_sequence() const { return order_; }

 private:
  // What this order replaces, unless the hub is as far in the slot, or holds nothing there and so takes any version.
  Result<void> add_before(const orders::Order& order) {
    const auto slot = orders::slot_of(order.payload.body);
    const auto& standing = order.payload.common.standing;
    const auto reached = slot ? known_.reached.find(*slot) : known_.reached.end();
    if (reached == known_.reached.end() || !standing || !standing->replaces) return {};
    if (standing->version <= reached->second + 1) return {};
    TILLSYN_TRY(row, provider_.database.select_one<std::string>("select body from orders where hash = :hash",
                                                                {to_base64url(*standing->replaces)}));
    if (!row) return {};
    TILLSYN_TRY(before, orders::parse_order(std::get<0>(*row)));
    return add(replaced_.emplace_back(std::move(before)));
  }

  Provider& provider_;
  const Known& known_;
  std::map<orders::Slot, OrderList> beside_;
  std::deque<orders::Order> replaced_;
  std::set<orders::Hash> seen_;
  OrderList order_;
};

Result<std::vector<orders::Order>> outcomes_for(Provider& provider, const Place& place, Instant now) {
  std::vector<orders::Order> out;
  for (const std::string& resident : place.residents) {
    TILLSYN_TRY(rows, provider.database.select<std::string>(
                          "select body from orders where resident = :resident and slot is null and posted_ms > :since "
                          "order by n",
                          {resident, std::int64_t{(now - kOutcomesTold).time_since_epoch().count()}}));
    for (const auto& [body] : rows) {
      TILLSYN_TRY(order, orders::parse_order(body));
      out.push_back(std::move(order));
    }
  }
  return out;
}

}  // namespace

std::optional<std::vector<std::string>> hubs_concerned(const Provider& provider, const orders::Order& order) {
  const auto& body = order.payload.body;
  if (std::holds_alternative<orders::Revoke>(body) || std::holds_alternative<orders::Grant>(body)) return std::nullopt;
  if (const auto* hub = orders::hub_of(body)) return std::vector{*hub};
  const auto* resident = orders::resident_of(body);
  if (resident == nullptr) return std::nullopt;
  std::set<std::string> hubs;
  for (const orders::Order* held : provider.book.all()) {
    const auto* named = orders::hub_of(held->payload.body);
    const auto* lives_there = orders::resident_of(held->payload.body);
    if (named && lives_there && *lives_there == *resident) hubs.insert(*named);
  }
  return std::vector(hubs.begin(), hubs.end());
}

Result<std::vector<std::string>> orders_for(Provider& provider, const std::string& hub, const Json& status,
                                            Instant now) {
  std::vector<std::string> out;
  if (!status.is_object()) return out;
  const OrderList all = provider.book.all();
  const Place place = place_of(all, hub);
  TILLSYN_TRY(outcomes, outcomes_for(provider, place, now));
  TILLSYN_TRY(known, known_of(provider, hub, status));
  Gathering gathering(provider, known, all);
  for (const orders::Order* order : all) {
    if (concerns(*order, hub, place, known)) TILLSYN_CHECK(gathering.add(*order));
  }
  for (const orders::Order& order : outcomes) TILLSYN_CHECK(gathering.add(order));
  const auto told = provider.waiting_at.find(hub);
  const auto waiting = told == provider.waiting_at.end() ? std::set<orders::Hash>() : told->second;
  for (const orders::Order* order : gathering.in_sequence()) {
    if (lacks(*order, known, waiting)) out.push_back(order->text);
  }
  return out;
}

}  // namespace tillsyn::care
