#pragma once

#include <vector>

#include "relay/api/services.h"
#include "relay/http/api.h"

namespace tillsyn::api {

// Every route under /v1 (openapi.yaml) but `GET /v1/hubs`, which presence answers, and the WebSocket. Borrows
// `services`, which must outlive the server. Handlers run where http::Route::runs says.
std::vector<http::Route> routes(Services& services);

}  // namespace tillsyn::api
