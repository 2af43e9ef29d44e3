#include <algorithm>

#include "common/orders/consent_bounds.h"
#include "common/orders/order_book.h"

// How an order must fit the others that stand: the rules behind OrderBook::check.
namespace tillsyn::orders {
namespace {

Result<void> check_group(const std::string& group, std::string_view expected) {
  if (group != expected) return refuse("group_not_in_scope", "not the resident's group");
  return {};
}

Result<void> check_home(const std::string& home, std::string_view expected) {
  if (home != expected) return refuse("wrong_home");
  return {};
}

bool shares_signer(const Order& a, const Order& b) {
  for (const Signer& one : a.payload.common.signers) {
    for (const Signer& other : b.payload.common.signers) {
      if (same_person(one.person, other.person)) return true;
    }
  }
  return false;
}

}  // namespace

Result<void> OrderBook::check_relations(const Order& order) const {
  return std::visit(
      [&](const auto& body) -> Result<void> {
        if constexpr (requires { check_relations_of(order, body); }) return check_relations_of(order, body);
        return {};
      },
      order.payload.body);
}

const Assignment* OrderBook::serving(std::string_view resident) const {
  const auto hubs = hubs_of(resident);
  return hubs.empty() ? nullptr : assignment_of(hubs.front());
}

std::optional<OrderBook::Place> OrderBook::place_of(std::string_view resident) const {
  if (const Assignment* assignment = serving(resident)) return Place{assignment->home, assignment->group};
  const Order* order = at("consent", resident);
  if (order == nullptr) return std::nullopt;
  return Place{*home_of(order->payload.body), *group_of(order->payload.body)};
}

Result<void> OrderBook::check_relations_of(const Order& order, const Assignment& body) const {
  const Order* device = at("device", body.hub);
  if (device == nullptr) return wait_for("no_device");
  if (shares_signer(order, *device)) return refuse("not_two_people", "the technician of the device order");
  const Assignment* current = assignment_of(body.hub);
  if (current != nullptr && current->resident != body.resident) return refuse("wrong_resident");
  const Assignment* other = serving(body.resident);
  if (other == nullptr) return {};
  TILLSYN_CHECK(check_group(body.group, other->group));
  return check_home(body.home, other->home);
}

Result<void> OrderBook::check_relations_of(const Order&, const Acceptance& body) const {
  const auto is_named = [&](const Order& order) { return order.hash == body.assignment; };
  if (std::any_of(uncountersigned_.begin(), uncountersigned_.end(), is_named)) return wait_for("not_countersigned");
  const Order* assigned = at("assignment", body.hub);
  const Assignment* assignment = assignment_of(body.hub);
  if (assignment == nullptr || !is_named(*assigned)) return wait_for("no_assignment");
  if (body.resident != assignment->resident) return refuse("wrong_resident");
  TILLSYN_CHECK(check_group(body.group, assignment->group));
  return check_home(body.home, assignment->home);
}

Result<void> OrderBook::check_relations_of(const Order&, const Release& body) const {
  const Assignment* assignment = assignment_of(body.hub);
  if (assignment == nullptr) return {};
  if (body.resident != assignment->resident) return refuse("wrong_resident");
  return check_group(body.group, assignment->group);
}

Result<void> OrderBook::check_relations_of(const Order&, const Consent& body) const {
  const Assignment* assignment = serving(body.resident);
  if (assignment == nullptr) return {};
  TILLSYN_CHECK(check_group(body.group, assignment->group));
  return body.terms ? check_home(body.home, assignment->home) : Result<void>();
}

Result<void> OrderBook::check_relations_of(const Order&, const ScheduleOrder& body) const {
  if (const auto place = place_of(body.resident)) {
    TILLSYN_CHECK(check_group(body.group, place->group));
    TILLSYN_CHECK(check_home(body.home, place->home));
  }
  const auto* consent = body_at<Consent>("consent", body.resident);
  if (consent == nullptr) return wait_for("no_consent");
  if (!consent->terms) return refuse("consent_withdrawn");
  TILLSYN_CHECK(check_group(body.group, consent->group));
  TILLSYN_CHECK(check_home(body.home, consent->home));
  return check_within(*consent->terms, body.schedule);
}

Result<void> OrderBook::check_relations_of(const Order&, const Pause& body) const {
  const auto place = place_of(body.resident);
  return place ? check_group(body.group, place->group) : Result<void>();
}

Result<void> OrderBook::check_relations_of(const Order&, const Resume& body) const {
  const auto place = place_of(body.resident);
  if (!place) return {};
  TILLSYN_CHECK(check_group(body.group, place->group));
  return check_home(body.home, place->home);
}

Result<void> OrderBook::check_relations_of(const Order&, const View& body) const {
  const Assignment* assignment = assignment_of(body.hub);
  if (assignment == nullptr) return wait_for("no_assignment");
  if (body.resident != assignment->resident) return refuse("wrong_resident");
  const auto is_named = [&](const AssignedCamera& camera) { return camera.id == body.camera; };
  if (std::none_of(assignment->cameras.begin(), assignment->cameras.end(), is_named)) return refuse("wrong_camera");
  return check_group(body.group, assignment->group);
}

Result<void> OrderBook::check_relations_of(const Order&, const Outcome& body) const {
  const auto place = place_of(body.resident);
  if (!place) return wait_for("no_consent");
  return check_group(body.group, place->group);
}

}  // namespace tillsyn::orders
