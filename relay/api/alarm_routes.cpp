#include <algorithm>

#include "relay/alarms/maintenance.h"
#include "relay/alarms/watch.h"
#include "relay/api/caller.h"
#include "relay/http/page.h"

namespace tillsyn::api {
namespace {

using alarms::Alarm;
using http::ApiRequest;
using http::ApiResponse;
using orders::Role;

// The log's copy: nobody else can mend it.
bool is_administrators(const Alarm& alarm) {
  return alarm.about.kind == "copy_late" || alarm.about.kind == "copy_disagrees";
}

// Alarms of a group are for those who work there; what belongs to no group is for all of them.
bool is_for(const Caller& caller, const Alarm& alarm) {
  if (is_administrators(alarm)) return caller.may({Role::kSystemAdmin, Role::kManager});
  return caller.may(
             {Role::kOperator, Role::kPlanner, Role::kCareManager, Role::kManager, Role::kInstaller, Role::kTechnician},
             alarm.about.group) ||
         (!alarm.about.group && caller.may({Role::kSystemAdmin}));
}

std::string place_of(Instant time, const std::string& id) {
  return http::place_of_number(static_cast<std::uint64_t>(time.time_since_epoch().count())) + id;
}

// Looks anew rather than list what was found when somebody looked last.
ApiResponse list_alarms(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  auto& watch = caller.services.watch(caller.provider);
  const auto changed = watch.evaluate(caller.now);
  if (!changed) return http::problem(changed.error());
  const auto open = watch.open();
  if (!open) return http::problem(open.error());
  if (*changed) caller.services.listener().lists_changed(caller.provider.id);
  http::Page page(*asked);
  for (const Alarm& alarm : *open) {
    if (is_for(caller, alarm)) page.add(place_of(alarm.raised, alarm.id), [&] { return alarms::alarm_json(alarm); });
  }
  return http::json_response(std::move(page).json());
}

ApiResponse no_alarm() { return http::problem(404, "no_alarm", "There is no such alarm any more."); }

ApiResponse acknowledge(const Caller& caller, const ApiRequest& request) {
  auto& watch = caller.services.watch(caller.provider);
  const std::string& id = request.params.at("id");
  const auto open = watch.open();
  if (!open) return http::problem(open.error());
  const bool is_theirs = std::any_of(open->begin(), open->end(),
                                     [&](const Alarm& alarm) { return alarm.id == id && is_for(caller, alarm); });
  if (!is_theirs) return no_alarm();
  const auto alarm = watch.acknowledge(id, caller.session.person, caller.now);
  if (!alarm) return http::problem(alarm.error());
  caller.services.listener().lists_changed(caller.provider.id);
  return http::json_response(alarms::alarm_json(*alarm));
}

// ---- planned maintenance

Json maintenance_json(const alarms::Maintenance& one) {
  return {{"id", one.id}, {"from", format_instant(one.from)}, {"to", format_instant(one.to)}, {"reason", one.reason}};
}

ApiResponse list_maintenance(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto planned = alarms::planned_after(caller.provider, caller.now);
  if (!planned) return http::problem(planned.error());
  http::Page page(*asked);
  for (const auto& one : *planned) page.add(place_of(one.from, one.id), [&] { return maintenance_json(one); });
  return http::json_response(std::move(page).json());
}

ApiResponse plan_maintenance(const Caller& caller, const ApiRequest& request) {
  if (!caller.may({Role::kSystemAdmin})) return no_right();
  const auto body = body_of(request);
  if (!body) return http::problem(body.error());
  const auto one = alarms::read_maintenance(*body);
  if (!one) return http::problem(400, "malformed", one.error().message);
  const auto done = alarms::plan(caller.provider, *one, caller.session.person, caller.now);
  if (!done) return http::problem(done.error());
  caller.services.listener().lists_changed(caller.provider.id);
  return http::json_response(maintenance_json(*one), 201);
}

ApiResponse cancel_maintenance(const Caller& caller, const ApiRequest& request) {
  if (!caller.may({Role::kSystemAdmin})) return no_right();
  const auto done = alarms::cancel(caller.provider, request.params.at("id"), caller.session.person, caller.now);
  if (!done) return http::problem(done.error());
  caller.services.listener().lists_changed(caller.provider.id);
  return no_content();
}

}  // namespace

std::vector<http::Route> alarm_routes(Services& services) {
  return {staff_route(services, "GET", "/v1/alarms", list_alarms),
          staff_route(services, "POST", "/v1/alarms/{id}/acknowledgement", acknowledge),
          staff_route(services, "GET", "/v1/maintenance", list_maintenance),
          staff_route(services, "POST", "/v1/maintenance", plan_maintenance),
          staff_route(services, "DELETE", "/v1/maintenance/{id}", cancel_maintenance)};
}

}  // namespace tillsyn::api
