#pragma once

#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/orders/rights.h"
#include "relay/api/services.h"
#include "relay/http/api.h"

namespace tillsyn::api {

// What the person may do at the provider now; none once everything has ended or been revoked.
std::vector<orders::Right> rights_now(Services& services, const care::Provider& provider,
                                      const identity::Session& session);

// Who calls a route, and what that person may do now: rights are looked up at every call, so that a revoke acts at
// once.
struct Caller {
  Services& services;
  identity::Session session;
  care::Provider& provider;
  std::vector<orders::Right> rights;
  Instant now;

  // Whether the caller has one of the roles in the group (nullopt: in any).
  bool may(std::initializer_list<orders::Role> roles, const std::optional<std::string>& group = std::nullopt) const;
};

// Those who need to know whose home it is: names and times of the groups in which they work.
bool may_see_names(const Caller& caller, const std::string& group);

using CallerHandler = std::function<http::ApiResponse(const Caller&, const http::ApiRequest&)>;
enum class Machines { kRefused, kAllowed };  // trust machines' sessions

// A route of staff: 401 "no_session" without a session that is good, 403 "no_grant" when all rights have ended.
http::Route staff_route(Services& services, const char* method, const char* pattern, CallerHandler handler,
                        Machines machines = Machines::kRefused);

http::ApiResponse no_content();
http::ApiResponse no_right();

// A request's JSON body, and an integer of its query.
Result<Json> body_of(const http::ApiRequest& request);
Result<std::uint64_t> number_in(const http::ApiRequest& request, const char* name,
                                std::optional<std::uint64_t> otherwise = {});

// The groups of routes, each in its own file.
std::vector<http::Route> session_routes(Services& services);
std::vector<http::Route> order_routes(Services& services);
std::vector<http::Route> care_routes(Services& services);
std::vector<http::Route> protection_routes(Services& services);
std::vector<http::Route> supervision_routes(Services& services);
std::vector<http::Route> alarm_routes(Services& services);
std::vector<http::Route> webhook_routes(Services& services);
std::vector<http::Route> ledger_routes(Services& services);
std::vector<http::Route> trust_routes(Services& services);

}  // namespace tillsyn::api
