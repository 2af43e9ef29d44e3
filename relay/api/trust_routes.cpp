#include "relay/api/caller.h"

namespace tillsyn::api {
namespace {

http::ApiResponse taken(const Result<bool>& result) {
  if (result) return http::json_response({{"taken", *result}});
  return http::problem(result.error());
}

http::Route put_route(const char* pattern, http::Handler handler) {
  http::Route route;
  route.method = "PUT";
  route.pattern = pattern;
  route.max_body = http::kTrustMaxBody;
  route.handler = std::move(handler);
  return route;
}

}  // namespace

std::vector<http::Route> trust_routes(Services& services) {
  return {
      put_route("/v1/trust/root-list",
                [&services](const http::ApiRequest& request) { return taken(services.take_root_list(request.body)); }),
      put_route("/v1/trust/bundle",
                [&services](const http::ApiRequest& request) { return taken(services.take_bundle(request.body)); })};
}

}  // namespace tillsyn::api
