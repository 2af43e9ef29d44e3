#include "relay/api/caller.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;

Json person_json(const orders::Person& person) { return {{"issuer", person.issuer}, {"person", person.value}}; }

Json rights_json(const std::vector<orders::Right>& rights) {
  Json out = Json::array();
  for (const auto& right : rights) {
    out.push_back({{"role", orders::role_name(right.role)},
                   {"groups", right.groups},
                   {"from", format_instant(right.from)},
                   {"to", format_instant(right.to)}});
  }
  return out;
}

Json opened_json(const identity::Sessions::Opened& opened) {
  const auto& session = opened.session;
  return {{"token", opened.token},
          {"expires_at", format_instant(session.expires_at)},
          {"person", session.is_trust_machine ? Json() : person_json(session.person)},
          {"rights", rights_json(opened.rights)}};
}

// What anybody can send without being anybody is no failed login, and would let anybody fill the log.
bool is_worth_an_entry(const Error& error) {
  return error.reason != "malformed" && error.reason != "unknown_challenge" && error.code != Code::kUnavailable &&
         error.code != Code::kIo;
}

ApiResponse refuse_login(Services& services, care::Provider& provider, const Error& error) {
  if (is_worth_an_entry(error)) {
    auto& refusals = services.refused_logins(provider.id);
    const auto entered =
        refusals.enter(*provider.ledger, {.what = "login_refused", .reason = error.reason}, services.now());
    if (!entered) return http::problem(entered.error());
  }
  return http::problem(error);
}

ApiResponse open_session(Services& services, const ApiRequest& request) {
  const auto body = body_of(request);
  if (!body) return http::problem(body.error());
  const auto named = body->is_object() ? body->find("provider") : body->end();
  if (!body->is_object() || named == body->end() || !named->is_string()) {
    return http::problem(malformed("malformed", "The provider is missing."));
  }
  const auto provider = services.provider(named->get<std::string>());
  if (!provider) return http::problem(provider.error());
  // A trust machine makes the first bundle, so it comes before there is one.
  const auto trusted = body->contains("bundle_key") ? Result(care::Trusted{services.trust().root_list(), nullptr})
                                                    : services.trust().trusted();
  if (!trusted) return http::problem(trusted.error());
  const auto opened = services.sessions().open(*body, request.host, **provider, *trusted, services.now());
  if (!opened) return refuse_login(services, **provider, opened.error());
  if (!opened->session.is_trust_machine) {
    const auto entered = (*provider)->ledger->append_seen(
        {.what = "login", .who = {care::ledger_person(opened->session.person)}}, services.now());
    if (!entered) return http::problem(entered.error());
  }
  return http::json_response(opened_json(*opened));
}

ApiResponse log_out(const Caller& caller, const ApiRequest& request) {
  caller.services.sessions().close(request.bearer.value_or(""), caller.now);
  if (caller.session.is_trust_machine) return no_content();
  const auto entered = caller.provider.ledger->append_seen(
      {.what = "logout", .who = {care::ledger_person(caller.session.person)}}, caller.now);
  return entered ? no_content() : http::problem(entered.error());
}

http::Route open_route(const char* method, const char* pattern, http::Handler handler) {
  http::Route route;
  route.method = method;
  route.pattern = pattern;
  route.handler = std::move(handler);
  return route;
}

}  // namespace

std::vector<http::Route> session_routes(Services& services) {
  std::vector<http::Route> out;
  auto token = open_route("POST", "/v1/oidc/token", [&services](const ApiRequest& request) {
    const auto id_token = services.token_endpoint().exchange(request.body, services.now());
    return id_token ? http::json_response({{"id_token", *id_token}}) : http::problem(id_token.error());
  });
  token.runs = http::Runs::kNetworkThread;
  token.turn_of = [&services](const ApiRequest& request) { return services.token_endpoint().issuer_in(request.body); };
  out.push_back(std::move(token));
  out.push_back(open_route("GET", "/v1/client-jwks", [&services](const ApiRequest&) {
    return http::json_response(services.token_endpoint().client_jwks());
  }));
  out.push_back(open_route("POST", "/v1/session/challenge", [&services](const ApiRequest&) {
    return http::json_response({{"challenge", services.sessions().challenge(services.now())}});
  }));
  out.push_back(open_route("POST", "/v1/session",
                           [&services](const ApiRequest& request) { return open_session(services, request); }));
  out.push_back(staff_route(services, "DELETE", "/v1/session", log_out, Machines::kAllowed));
  return out;
}

}  // namespace tillsyn::api
