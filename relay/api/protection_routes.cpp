#include "common/orders/order.h"
#include "relay/api/caller.h"
#include "relay/care/orders.h"
#include "relay/care/protection.h"
#include "relay/care/residents.h"
#include "relay/care/settings.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;
using orders::Role;

ApiResponse get_settings(const Caller& caller, const ApiRequest&) {
  const auto held = care::settings(caller.provider);
  return held ? http::json_response(care::settings_json(*held)) : http::problem(held.error());
}

ApiResponse put_settings(const Caller& caller, const ApiRequest& request) {
  if (!caller.may({Role::kSystemAdmin})) return no_right();
  const auto body = body_of(request);
  if (!body) return http::problem(body.error());
  const auto next = care::read_settings(*body);
  if (!next) return http::problem(400, "malformed", next.error().message);
  const auto done = care::put_settings(caller.provider, *next, caller.session.person, caller.now);
  return done ? no_content() : http::problem(done.error());
}

// The care manager's resident; the answer when there is none, or another group's.
std::optional<ApiResponse> not_theirs(const Caller& caller, const std::string& resident) {
  const auto held = care::get_resident(caller.provider, resident);
  if (!held) return http::problem(held.error());
  if (!caller.may({Role::kCareManager}, held->group)) return no_right();
  return std::nullopt;
}

// The text of the pause that comes with the word; nullopt when there is nothing to pause.
Result<std::optional<std::string>> read_pause(const Caller& caller, const std::string& resident, const Json& body) {
  JsonReader in(body, "request");
  const Json& pause = in.any("pause");
  TILLSYN_CHECK(in.finish());
  if (pause.is_null()) {
    TILLSYN_TRY(is_needed, care::has_consent(caller.provider, resident));
    if (is_needed) return Error{Code::kConflict, "pause_missing", "A consent stands: a signed pause closes the home."};
    return std::optional<std::string>();
  }
  TILLSYN_TRY(order, orders::parse_order(pause.dump()));
  const auto* body_of_it = std::get_if<orders::Pause>(&order.payload.body);
  if (!body_of_it || body_of_it->resident != resident)
    return malformed("malformed", "It is no pause of this resident.");
  return std::optional(pause.dump());
}

// The home is closed first: what is acknowledged is both. Asked again, what is done already is not done anew.
ApiResponse protect(const Caller& caller, const ApiRequest& request) {
  const std::string& resident = request.params.at("resident");
  const auto body = body_of(request);
  if (!body) return http::problem(body.error());
  if (auto wrong = not_theirs(caller, resident)) return *std::move(wrong);
  const auto pause = read_pause(caller, resident, *body);
  if (!pause) {
    return pause.error().code == Code::kConflict ? http::problem(pause.error())
                                                 : http::problem(400, "malformed", pause.error().message);
  }
  if (*pause) {
    const auto trusted = caller.services.trust().trusted();
    if (!trusted) return http::problem(trusted.error());
    const auto paused =
        care::accept_order(caller.provider, *trusted, **pause, std::nullopt, caller.session.person, caller.now);
    if (!paused) return http::problem(paused.error());
    if (paused->is_new) caller.services.listener().orders_changed(caller.provider.id, paused->hubs);
  }
  const auto done = care::protect(caller.provider, resident, caller.session.person, caller.now);
  if (!done) return http::problem(done.error());
  caller.services.listener().lists_changed(caller.provider.id);
  return no_content();
}

ApiResponse unprotect(const Caller& caller, const ApiRequest& request) {
  const std::string& resident = request.params.at("resident");
  if (auto wrong = not_theirs(caller, resident)) return *std::move(wrong);
  const auto done = care::unprotect(caller.provider, resident, caller.session.person, caller.now);
  if (!done) return http::problem(done.error());
  caller.services.listener().lists_changed(caller.provider.id);
  return no_content();
}

}  // namespace

std::vector<http::Route> protection_routes(Services& services) {
  return {staff_route(services, "GET", "/v1/settings", get_settings),
          staff_route(services, "PUT", "/v1/settings", put_settings),
          staff_route(services, "PUT", "/v1/residents/{resident}/protection", protect),
          staff_route(services, "DELETE", "/v1/residents/{resident}/protection", unprotect)};
}

}  // namespace tillsyn::api
