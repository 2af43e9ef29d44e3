#include "firmware/gate/guard.h"

#include <algorithm>

#include "common/civil/windows.h"
#include "common/orders/rights.h"

namespace tillsyn::gate {
namespace {

Opening closed(std::string reason) {
  Opening opening;
  opening.reason = std::move(reason);
  return opening;
}

Result<void> check_trust(const Standing& standing, const board::ClockReading& clock) {
  if (!clock.is_trusted()) return orders::refuse("clock_untrusted");
  if (standing.root_list == nullptr || standing.bundle == nullptr) return orders::refuse("bundle_missing");
  TILLSYN_CHECK(orders::check_current(*standing.root_list, clock.utc));
  TILLSYN_CHECK(orders::check_current(*standing.bundle, clock.utc));
  if (standing.bundle->is_hub_revoked(standing.hub)) return orders::refuse("hub_revoked");
  return {};
}

// Whom the hub serves, who has not paused it.
Result<std::string_view> check_resident(const Standing& standing) {
  const orders::Assignment* assignment = standing.book.assignment_of(standing.hub);
  if (assignment == nullptr) return orders::refuse("no_assignment");
  if (standing.is_paused_by_resident) return orders::refuse("paused_by_resident");
  return std::string_view(assignment->resident);
}

Result<const civil::Schedule*> check_orders(const Standing& standing, const board::ClockReading& clock) {
  TILLSYN_CHECK(check_trust(standing, clock));
  TILLSYN_TRY(resident, check_resident(standing));
  return standing.book.schedule_in_force(standing.hub, resident, clock.utc);
}

Opening open_while_trusted(const Standing& standing) {
  Opening opening;
  opening.until = std::min(standing.root_list->expires_at, standing.bundle->expires_at);
  return opening;
}

// Before acceptance, or under a pause; never against the resident's word.
Result<void> check_test(const Standing& standing, const board::ClockReading& clock) {
  TILLSYN_CHECK(check_trust(standing, clock));
  TILLSYN_TRY(resident, check_resident(standing));
  if (standing.book.is_withdrawn(resident)) return orders::refuse("consent_withdrawn");
  const bool is_paused = standing.book.is_paused(resident, clock.utc);
  if (standing.book.is_accepted(standing.hub) && !is_paused) return orders::refuse("not_paused");
  return {};
}

Result<void> check_role(const Standing& standing, const board::ClockReading& clock, const orders::Person& person,
                        orders::Role role, const std::string& group) {
  const orders::Order* assignment = standing.book.at("assignment", standing.hub);
  if (assignment == nullptr) return orders::refuse("no_assignment");
  const orders::Provider* provider = standing.root_list->provider(assignment->payload.common.provider);
  if (provider == nullptr) return orders::refuse("wrong_provider");
  const orders::RightsContext rights{*provider, *standing.root_list, *standing.bundle, standing.book};
  return orders::check_right(person, role, group, rights, clock.utc);
}

}  // namespace

Opening judge_opening(const Standing& standing, const board::ClockReading& clock) {
  const auto schedule = check_orders(standing, clock);
  if (!schedule) return closed(schedule.error().reason);
  if (!civil::is_open(**schedule, clock.utc)) {
    Opening opening = closed("outside_window");
    opening.next = civil::next_change(**schedule, clock.utc);
    return opening;
  }
  Opening opening = open_while_trusted(standing);
  const auto end = civil::current_opening_end(**schedule, clock.utc);
  if (end) opening.until = std::min(opening.until, *end);
  return opening;
}

Opening judge_viewer(const Standing& standing, const board::ClockReading& clock, const orders::Person& viewer,
                     const std::string& group) {
  Opening opening = judge_opening(standing, clock);
  if (!opening.is_open()) return opening;
  const auto right = check_role(standing, clock, viewer, orders::Role::kOperator, group);
  return right ? opening : closed(right.error().reason);
}

Opening judge_tester(const Standing& standing, const board::ClockReading& clock, const orders::Person& tester,
                     const std::string& group) {
  if (const auto test = check_test(standing, clock); !test) return closed(test.error().reason);
  const auto right = check_role(standing, clock, tester, orders::Role::kInstaller, group);
  return right ? open_while_trusted(standing) : closed(right.error().reason);
}

const civil::Schedule* schedule_now(const Standing& standing, const board::ClockReading& clock) {
  const auto schedule = check_orders(standing, clock);
  return schedule ? *schedule : nullptr;
}

}  // namespace tillsyn::gate
