#include "firmware/gate/preflight.h"

#include <algorithm>

#include "common/orders/refusals.h"

namespace tillsyn::gate {
namespace {

std::string name_of(const civil::Occurrence& window) { return civil::format_date(window.date) + ' ' + window.window; }

// The schedule by the orders alone: whether clock and trust are well is what is being asked.
const civil::Schedule* schedule_of(const Standing& standing, Instant now) {
  const orders::Assignment* assignment = standing.book.assignment_of(standing.hub);
  if (assignment == nullptr) return nullptr;
  const auto schedule = standing.book.schedule_in_force(standing.hub, assignment->resident, now);
  return schedule ? *schedule : nullptr;
}

// Trust as it will be at `at` if nothing new comes.
std::optional<std::string> trust_fault(const Standing& standing, Instant at) {
  if (standing.root_list == nullptr || standing.bundle == nullptr) return "bundle_missing";
  if (!orders::check_current(*standing.root_list, at)) return "root_list_expired";
  if (!orders::check_current(*standing.bundle, at)) return "bundle_expired";
  if (standing.bundle->is_hub_revoked(standing.hub)) return "hub_revoked";
  return std::nullopt;
}

bool has_all_cameras(const Standing& standing, const Hardware& hardware) {
  const orders::Assignment* assignment = standing.book.assignment_of(standing.hub);
  if (assignment == nullptr) return true;
  return std::ranges::all_of(assignment->cameras, [&](const auto& camera) { return hardware.has_camera(camera.id); });
}

}  // namespace

std::vector<std::string> Preflight::faults(const Standing& standing, const board::ClockReading& clock, Instant at,
                                           bool has_fuse) const {
  std::vector<std::string> faults;
  if (!clock.is_trusted()) faults.emplace_back("clock_untrusted");
  if (const auto trust = trust_fault(standing, at)) faults.push_back(*trust);
  if (!has_fuse) faults.emplace_back("no_fuse");
  if (!has_all_cameras(standing, hardware_)) faults.emplace_back("camera_missing");
  if (!hardware_.is_light_lit()) faults.emplace_back("light_fault");
  const auto free = hardware_.free_bytes();
  if (!free || *free < kLeastFreeBytes) faults.emplace_back("disk_full");
  return faults;
}

std::vector<Preflight::Finding> Preflight::due(const Standing& standing, const board::ClockReading& clock,
                                               bool has_fuse) {
  std::vector<Finding> findings;
  const civil::Schedule* schedule = schedule_of(standing, clock.utc);
  if (schedule == nullptr) return findings;
  std::set<Look> near;
  const Instant horizon = clock.utc + kBefore.front() + std::chrono::milliseconds(1);  // exclusive
  for (const auto& window : civil::occurrences(*schedule, clock.utc, horizon)) {
    if (window.start <= clock.utc) continue;
    const auto is_near = [&](auto before) { return window.start - clock.utc <= before; };
    bool is_new = false;
    for (const auto before : kBefore) {
      if (!is_near(before)) continue;
      near.emplace(name_of(window), before);
      is_new = !looked_.contains({name_of(window), before}) || is_new;
    }
    if (is_new) findings.push_back({window, faults(standing, clock, window.start, has_fuse)});
  }
  looked_ = std::move(near);
  return findings;
}

}  // namespace tillsyn::gate
