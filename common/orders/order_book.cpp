#include "common/orders/order_book.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/orders/bindings.h"
#include "common/orders/consent_bounds.h"

namespace tillsyn::orders {
namespace {

// Of one hub: enough for an installer who corrects himself; the oldest goes.
constexpr std::ptrdiff_t kMaxUncountersigned = 8;

SlotEntry entry_for(std::string_view slot, const Order& order) {
  return {std::string(slot), order.version(), order.hash};
}

}  // namespace

Verdict OrderBook::check(const Order& order) const {
  if (is_held(order)) return verdict_of(Result<void>());
  const auto version = check_version(order);
  return verdict_of(version.ok() ? check_relations(order) : version);
}

Verdict OrderBook::judge_and_check(const Order& order, std::string_view provider, const RootList& list,
                                   const Bundle& bundle, Instant now) const {
  const Verdict verdict = judge(order, {provider, list, bundle, *this, now});
  return verdict.accepted() ? check(order) : verdict;
}

bool OrderBook::is_held(const Order& order) const {
  const Order* held = holder(order);
  if (held != nullptr && held->hash == order.hash) return true;
  const auto is_same = [&](const Order& other) { return other.hash == order.hash; };
  return std::any_of(uncountersigned_.begin(), uncountersigned_.end(), is_same);
}

const Order* OrderBook::holder(const Order& order) const {
  const auto slot = slot_of(order.payload.body);
  return slot ? at(slot->name, slot->owner) : nullptr;
}

const Order* OrderBook::at(std::string_view slot_name, std::string_view owner) const {
  const auto found = slots_.find(SlotView{slot_name, owner});
  return found == slots_.end() ? nullptr : &found->second;
}

Result<void> OrderBook::check_version(const Order& order) const {
  const Order* held = holder(order);
  if (held == nullptr) return {};
  const auto version = order.version();
  if (version < held->version()) return refuse("superseded");
  const bool closes = is_closing(order.payload.body);
  if (version == held->version() && !(closes && !is_closing(held->payload.body))) return refuse("slot_taken");
  if (closes) return {};
  if (version > held->version() + 1) return wait_for("version_gap");
  if (order.payload.common.standing->replaces != held->hash) return refuse("wrong_predecessor");
  return {};
}

void OrderBook::put(Order order) {
  if (is_held(order)) return;
  auto slot = slot_of(order.payload.body);
  if (!slot) return;
  if (std::holds_alternative<Assignment>(order.payload.body)) {
    return keep_beside(std::move(order));
  }
  take_slot(std::move(*slot), std::move(order));
}

void OrderBook::keep_beside(Order order) {
  if (!check_version(order).ok()) return;  // read from a store, where its slot was taken after it came
  const auto is_of_hub = [&](const Order& other) { return *hub_of(other.payload.body) == *hub_of(order.payload.body); };
  auto& orders = uncountersigned_;
  if (std::count_if(orders.begin(), orders.end(), is_of_hub) == kMaxUncountersigned) {
    orders.erase(std::find_if(orders.begin(), orders.end(), is_of_hub));
  }
  orders.push_back(std::move(order));
}

void OrderBook::take_slot(Slot slot, Order order) {
  const std::string resident = slot.name == "consent" || slot.name == "schedule" ? slot.owner : std::string();
  if (slot.name == "assignment") {
    std::erase_if(uncountersigned_, [&](const Order& other) { return *hub_of(other.payload.body) == slot.owner; });
  }
  slots_.insert_or_assign(std::move(slot), std::move(order));
  if (!resident.empty()) measure_schedule(resident);
}

void OrderBook::countersigned(const Hash& assignment) {
  const auto found = std::find_if(uncountersigned_.begin(), uncountersigned_.end(),
                                  [&](const Order& order) { return order.hash == assignment; });
  if (found == uncountersigned_.end()) return;
  Order order = std::move(*found);
  uncountersigned_.erase(found);
  Slot slot = *slot_of(order.payload.body);
  take_slot(std::move(slot), std::move(order));
}

bool OrderBook::is_countersigned(const Hash& assignment) const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const auto& item) {
    return item.second.hash == assignment && std::holds_alternative<Assignment>(item.second.payload.body);
  });
}

// Reckoned when an order comes, so that asking whether the camera may open costs nothing.
void OrderBook::measure_schedule(std::string_view resident) {
  const auto* consent = body_at<Consent>("consent", resident);
  const auto* schedule = body_at<ScheduleOrder>("schedule", resident);
  const bool is_measurable = consent != nullptr && consent->terms && schedule != nullptr;
  beyond_consent_.erase(std::string(resident));
  if (is_measurable && !check_within(*consent->terms, schedule->schedule).ok()) beyond_consent_.emplace(resident);
}

PersonRights OrderBook::rights_of(const Person& person) const {
  const Order* order = at(person_slot(person), "");
  if (order == nullptr) return {};
  const auto* grant = std::get_if<Grant>(&order->payload.body);
  if (grant == nullptr) return {.revoked = true, .rights = {}};
  return {.revoked = false, .rights = grant->rights};
}

std::vector<const Order*> OrderBook::all() const {
  std::vector<const Order*> out;
  for (const auto& [slot, order] : slots_) out.push_back(&order);
  for (const Order& order : uncountersigned_) out.push_back(&order);
  return out;
}

std::vector<SlotEntry> OrderBook::slots(std::string_view hub, std::string_view resident) const {
  const std::array<SlotView, 6> wanted = {{{"acceptance", hub},
                                           {"assignment", hub},
                                           {"consent", resident},
                                           {"device", hub},
                                           {"pause", resident},
                                           {"schedule", resident}}};
  std::vector<SlotEntry> out;
  for (const auto& [name, owner] : wanted) {
    if (const Order* order = at(name, owner)) out.push_back(entry_for(name, *order));
  }
  return out;
}

const Assignment* OrderBook::assignment_of(std::string_view hub) const {
  return body_at<Assignment>("assignment", hub);
}

std::vector<std::string> OrderBook::hubs_of(std::string_view resident) const {
  std::vector<std::string> out;
  for (const auto& [slot, order] : slots_) {
    const auto* assignment = std::get_if<Assignment>(&order.payload.body);
    if (assignment != nullptr && assignment->resident == resident) out.push_back(assignment->hub);
  }
  return out;
}

bool OrderBook::is_accepted(std::string_view hub) const {
  const Order* assigned = at("assignment", hub);
  const auto* acceptance = body_at<Acceptance>("acceptance", hub);
  return assignment_of(hub) != nullptr && acceptance != nullptr && acceptance->assignment == assigned->hash;
}

bool OrderBook::is_withdrawn(std::string_view resident) const {
  const auto* consent = body_at<Consent>("consent", resident);
  return consent != nullptr && !consent->terms;
}

bool OrderBook::is_paused(std::string_view resident, Instant now) const {
  const auto* pause = body_at<Pause>("pause", resident);
  return pause != nullptr && now < pause->until;
}

std::vector<HomeLeaf> OrderBook::homes() const {
  std::vector<HomeLeaf> out;
  for (const auto& [slot, order] : slots_) {
    const auto* assignment = std::get_if<Assignment>(&order.payload.body);
    if (assignment == nullptr) continue;
    out.push_back({order.hash, assignment->group, head(assignment->hub, assignment->resident), assignment->hub,
                   assignment->resident});
  }
  return out;
}

namespace {

template <typename T>
Result<void> check_same_place(const T& body, const Assignment& assignment) {
  if (body.home != assignment.home) return refuse("wrong_home");
  if (body.group != assignment.group) return refuse("group_not_in_scope");
  return {};
}

Result<void> check_consent(const Consent* consent, const Assignment& assignment, Instant now) {
  if (consent == nullptr) return refuse("no_consent");
  if (!consent->terms) return refuse("consent_withdrawn");
  TILLSYN_CHECK(check_same_place(*consent, assignment));
  const civil::LocalDate today = consent->terms->zone->date_at(now);
  if (!consent->terms->decision.holds(today) || !consent->terms->consent.holds(today)) return refuse("consent_expired");
  return {};
}

}  // namespace

Result<const civil::Schedule*> OrderBook::schedule_in_force(std::string_view hub, std::string_view resident,
                                                            Instant now) const {
  const Assignment* assignment = assignment_of(hub);
  if (assignment == nullptr) return refuse("no_assignment");
  if (assignment->resident != resident) return refuse("wrong_resident");
  if (!is_accepted(hub)) return refuse("not_accepted");
  TILLSYN_CHECK(check_consent(body_at<Consent>("consent", resident), *assignment, now));
  const auto* order = body_at<ScheduleOrder>("schedule", resident);
  if (order == nullptr) return refuse("no_schedule");
  TILLSYN_CHECK(check_same_place(*order, *assignment));
  if (beyond_consent_.contains(resident)) return refuse("beyond_consent");
  if (is_paused(resident, now)) return refuse("paused");
  return &order->schedule;
}

}  // namespace tillsyn::orders
