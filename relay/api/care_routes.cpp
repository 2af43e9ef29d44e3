#include "relay/api/caller.h"
#include "relay/care/residents.h"
#include "relay/care/settings.h"
#include "relay/care/tonight.h"
#include "relay/http/page.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;
using orders::Role;

Json resident_json(const care::Resident& resident) {
  return {{"resident", resident.resident},     {"group", resident.group}, {"name", resident.name},
          {"address", resident.address},       {"salt", resident.salt},   {"etag", care::entity_tag(resident)},
          {"protected", resident.is_protected}};
}

ApiResponse list_residents(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto residents = care::list_residents(
      caller.provider, asked->after, asked->limit + 1, [&](const std::string& group, bool is_protected) {
        return is_protected ? caller.may({Role::kCareManager}, group) : may_see_names(caller, group);
      });
  if (!residents) return http::problem(residents.error());
  http::Page page(*asked);
  for (const auto& resident : *residents) page.add(resident.resident, [&] { return resident_json(resident); });
  return http::json_response(std::move(page).json());
}

bool may_enter(const Caller& caller, const std::string& group) {
  return caller.may({Role::kCareManager, Role::kPlanner}, group);
}

// What is wrong with `held` becoming `next`: one who changes a name says which one (RFC 9110 §13.1.1), so that a
// mistyped id writes over nobody and of two who correct at once the second is told.
std::optional<ApiResponse> precondition_problem(const std::optional<care::Resident>& held, const std::string& next,
                                                const std::optional<std::string>& if_match) {
  const auto tag = held ? std::optional(care::entity_tag(*held)) : std::nullopt;
  const bool is_any = if_match == "*" && held;
  if (is_any || tag == if_match || tag == next) return std::nullopt;
  if (if_match) return http::problem(412, "changed_meanwhile", "It is not what If-Match names; read it again.");
  return http::problem(428, "if_match_missing",
                       "This resident has a name; If-Match with its etag says that it is to be changed.");
}

// The municipality may not take residents with protected identity (TEN-3). Nothing of who it was is kept.
std::optional<ApiResponse> protection_problem(const Caller& caller, const care::Resident& resident) {
  if (!resident.is_protected) return std::nullopt;
  const auto settings = care::settings(caller.provider);
  if (!settings) return http::problem(settings.error());
  if (settings->takes_protected) return std::nullopt;
  const auto entered = caller.provider.ledger->append_seen(
      {.what = "resident_refused", .who = {care::ledger_person(caller.session.person)}, .reason = "protected_identity"},
      caller.now);
  if (!entered) return http::problem(entered.error());
  return http::problem(403, "protected_identity",
                       "Residents with protected identity are not entered here: their supervision is done otherwise.");
}

ApiResponse put_resident(const Caller& caller, const ApiRequest& request) {
  const auto body = body_of(request);
  if (!body) return http::problem(body.error());
  const auto resident = care::read_resident(request.params.at("resident"), *body);
  if (!resident) return http::problem(400, "malformed", resident.error().message);
  const auto found = care::get_resident(caller.provider, resident->resident);
  if (!found && found.error().code != Code::kNotFound) return http::problem(found.error());
  const std::optional<care::Resident> held = found ? std::optional(*found) : std::nullopt;
  if (!may_enter(caller, resident->group) || (held && !may_enter(caller, held->group))) return no_right();
  if (auto wrong = protection_problem(caller, *resident)) return *std::move(wrong);
  const std::string tag = care::entity_tag(*resident);
  if (auto wrong = precondition_problem(held, tag, request.if_match)) return *std::move(wrong);
  const auto done = care::put_resident(caller.provider, *resident, caller.session.person, caller.now);
  if (!done) return http::problem(done.error());
  caller.services.listener().lists_changed(caller.provider.id);
  auto response = no_content();
  response.headers["ETag"] = tag;
  return response;
}

ApiResponse list_tonight(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto may_see = [&](const std::string& group) { return may_see_names(caller, group); };
  const auto all = care::tonight(caller.provider, caller.now, may_see);
  if (!all) return http::problem(all.error());
  http::Page page(*asked);
  for (const auto& one : *all) {
    if (!page.add(care::place_of(one), [&] { return care::tonight_json(caller.provider.book, one, caller.now); }))
      break;
  }
  return http::json_response(std::move(page).json());
}

ApiResponse make_code(const Caller& caller, const ApiRequest& request) {
  if (!caller.may({Role::kTechnician})) return no_right();
  const auto code = caller.services.enrolment().make_code(caller.provider.id, request.params.at("hub"), caller.now);
  if (!code) return http::problem(code.error());
  const auto entered = caller.provider.ledger->append_seen(
      {.what = "code_made", .hub = request.params.at("hub"), .who = {care::ledger_person(caller.session.person)}},
      caller.now);
  if (!entered) return http::problem(entered.error());
  return http::json_response({{"code", code->code}, {"expires_at", format_instant(code->expires_at)}}, 201);
}

}  // namespace

std::vector<http::Route> care_routes(Services& services) {
  return {staff_route(services, "GET", "/v1/residents", list_residents),
          staff_route(services, "PUT", "/v1/residents/{resident}", put_resident),
          staff_route(services, "GET", "/v1/tonight", list_tonight),
          staff_route(services, "POST", "/v1/hubs/{hub}/code", make_code)};
}

}  // namespace tillsyn::api
