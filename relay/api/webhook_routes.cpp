#include "relay/api/caller.h"
#include "relay/http/page.h"
#include "relay/webhooks/queue.h"

namespace tillsyn::api {
namespace {

using http::ApiRequest;
using http::ApiResponse;
using orders::Role;

// All of these are the system administrator's.
http::Route admin_route(Services& services, const char* method, const char* pattern, CallerHandler handler) {
  return staff_route(services, method, pattern,
                     [handler = std::move(handler)](const Caller& caller, const ApiRequest& request) {
                       return caller.may({Role::kSystemAdmin}) ? handler(caller, request) : no_right();
                     });
}

Json integration_json(const webhooks::Integration& one) {
  return {{"id", one.id}, {"url", one.url}, {"ca", one.ca ? Json(*one.ca) : Json()}};
}

// What an administrator changes is in the log, the secret never.
Result<void> enter(const Caller& caller, const char* what, const std::string& id) {
  TILLSYN_CHECK(caller.provider.ledger->append_seen(
      {.what = what, .who = {care::ledger_person(caller.session.person)}, .details = {{"integration", id}}},
      caller.now));
  return {};
}

ApiResponse list_integrations(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto all = webhooks::list(caller.provider);
  if (!all) return http::problem(all.error());
  http::Page page(*asked);
  for (const auto& one : *all) page.add(one.id, [&] { return integration_json(one); });
  return http::json_response(std::move(page).json());
}

ApiResponse add_integration(const Caller& caller, const ApiRequest& request) {
  const auto body = body_of(request);
  if (!body) return http::problem(body.error());
  const auto one = webhooks::read_integration(*body);
  if (!one) return http::problem(400, "malformed", one.error().message);
  std::string secret;
  const auto done = caller.provider.database.transaction([&]() -> Result<void> {
    TILLSYN_TRY(made, webhooks::add(caller.provider, *one, caller.now));
    secret = made;
    return enter(caller, "integration_added", one->id);
  });
  if (!done) return http::problem(done.error());
  Json answer = integration_json(*one);
  answer["secret"] = secret;
  return http::json_response(answer, 201);
}

ApiResponse end_integration(const Caller& caller, const ApiRequest& request) {
  const std::string& id = request.params.at("id");
  const auto done = caller.provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(webhooks::end(caller.provider, id, caller.now));
    return enter(caller, "integration_ended", id);
  });
  return done ? no_content() : http::problem(done.error());
}

// The newest first: places rise as numbers fall.
constexpr std::uint64_t kHighest = 9'999'999'999'999'999;

ApiResponse list_dead(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto after = http::number_after(*asked);
  if (!after) return http::problem(after.error());
  const auto before = *after ? std::optional(kHighest - **after) : std::nullopt;
  const auto letters = webhooks::dead_letters(caller.provider, before, asked->limit + 1);
  if (!letters) return http::problem(letters.error());
  http::Page page(*asked);
  for (const auto& [n, letter] : *letters) {
    page.add(http::place_of_number(kHighest - n), [&, &shown = letter] { return shown; });
  }
  return http::json_response(std::move(page).json());
}

ApiResponse send_again(const Caller& caller, const ApiRequest& request) {
  const auto done = caller.provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(webhooks::send_again(caller.provider, request.params.at("id"), caller.now));
    TILLSYN_CHECK(caller.provider.ledger->append_seen(
        {.what = "webhook_resent", .who = {care::ledger_person(caller.session.person)}}, caller.now));
    return {};
  });
  return done ? no_content() : http::problem(done.error());
}

}  // namespace

std::vector<http::Route> webhook_routes(Services& services) {
  return {admin_route(services, "GET", "/v1/integrations", list_integrations),
          admin_route(services, "POST", "/v1/integrations", add_integration),
          admin_route(services, "DELETE", "/v1/integrations/{id}", end_integration),
          admin_route(services, "GET", "/v1/dead-letters", list_dead),
          admin_route(services, "POST", "/v1/dead-letters/{id}/retry", send_again)};
}

}  // namespace tillsyn::api
