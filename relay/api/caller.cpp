#include "relay/api/caller.h"

#include <algorithm>

#include "relay/api/idempotency.h"
#include "relay/api/routes.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;
using orders::Role;

constexpr std::uint64_t kMaxNumber = (std::uint64_t{1} << 53) - 1;

ApiResponse no_session(const Error& error) { return http::problem(401, error.reason, error.message); }

ApiResponse serve(Services& services, const CallerHandler& handler, Machines machines, const ApiRequest& request) {
  const auto session = services.sessions().authenticate(request.bearer.value_or(""), services.now());
  if (!session) return no_session(session.error());
  const auto provider = services.provider(session->provider);
  if (!provider) return http::problem(provider.error());
  if (session->is_trust_machine) {
    if (machines == Machines::kRefused) return no_right();
    return handler({services, *session, **provider, {}, services.now()}, request);
  }
  auto rights = rights_now(services, **provider, *session);
  if (rights.empty()) return http::problem(403, "no_grant", "You have no right at this provider any more.");
  return once({services, *session, **provider, std::move(rights), services.now()}, request, handler);
}

}  // namespace

std::vector<orders::Right> rights_now(Services& services, const care::Provider& provider,
                                      const identity::Session& session) {
  const auto trusted = services.trust().trusted();
  const orders::Provider* listed = trusted ? trusted->root_list->provider(provider.id) : nullptr;
  if (!listed) return {};
  const orders::RightsContext context{*listed, *trusted->root_list, *trusted->bundle, provider.book};
  return orders::current_rights(session.person, context, services.now());
}

bool Caller::may(std::initializer_list<Role> roles, const std::optional<std::string>& group) const {
  return std::any_of(rights.begin(), rights.end(), [&](const orders::Right& right) {
    return std::find(roles.begin(), roles.end(), right.role) != roles.end() &&
           (!group || orders::scope_holds(right.groups, *group));
  });
}

bool may_see_names(const Caller& caller, const std::string& group) {
  return caller.may({Role::kOperator, Role::kPlanner, Role::kCareManager, Role::kManager, Role::kInstaller}, group);
}

http::Route staff_route(Services& services, const char* method, const char* pattern, CallerHandler handler,
                        Machines machines) {
  http::Route route;
  route.method = method;
  route.pattern = pattern;
  route.caller = http::Caller::kSession;
  route.handler = [&services, handler = std::move(handler), machines](const ApiRequest& request) {
    return serve(services, handler, machines, request);
  };
  return route;
}

ApiResponse no_content() {
  ApiResponse response;
  response.status = 204;
  return response;
}

ApiResponse no_right() { return http::problem(403, "wrong_role", "Your role does not allow this."); }

Result<Json> body_of(const ApiRequest& request) {
  auto value = parse_json(request.body, {http::kDefaultMaxBody, 12});
  if (!value) return malformed("malformed", value.error().message);
  return std::move(*value);
}

Result<std::uint64_t> number_in(const ApiRequest& request, const char* name, std::optional<std::uint64_t> otherwise) {
  const auto given = request.query.find(name);
  if (given == request.query.end() && otherwise) return *otherwise;
  const std::string text = given == request.query.end() ? std::string() : given->second;
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() || value > kMaxNumber) {
    return malformed("malformed", std::string(name) + " must be a number");
  }
  return value;
}

std::vector<http::Route> routes(Services& services) {
  std::vector<http::Route> out;
  for (auto make : {session_routes, order_routes, care_routes, protection_routes, supervision_routes, alarm_routes,
                    webhook_routes, ledger_routes, trust_routes}) {
    for (auto& route : make(services)) out.push_back(std::move(route));
  }
  return out;
}

}  // namespace tillsyn::api
