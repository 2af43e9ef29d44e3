#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/base/result.h"

// What a route is to the folders behind the server: plain values, nothing of sockets, TLS or Beast.
namespace tillsyn::http {

inline constexpr std::size_t kDefaultMaxBody = 128 * 1024;
inline constexpr std::size_t kTrustMaxBody = 256 * 1024;

// A request, read whole and within the route's limits.
struct ApiRequest {
  std::string method;                         // "GET"
  std::string path;                           // "/v1/residents/abc", without query, percent-decoded
  std::map<std::string, std::string> params;  // {"id": "abc"} for the pattern "/v1/residents/{id}"
  std::map<std::string, std::string> query;   // percent-decoded; a member given twice never gets here
  std::string body;                           // as sent; not checked to be JSON or UTF-8
  std::optional<std::string> bearer;          // the token of "Authorization: Bearer …", unjudged
  std::optional<ByteArray<65>> client_key;    // the TLS client certificate's P-256 point, proved by the handshake
  std::optional<std::string> origin;  // the Origin header; one of the root list's, or the request never gets here
  std::string host;                   // the Host header, lower case, as sent ("localhost:4433"); unjudged
  std::optional<std::string> idempotency_key;  // the Idempotency-Key header, unjudged
  std::optional<std::string> if_match;         // the If-Match header, unjudged
  std::string peer;  // the peer's address without port; of IPv6 its /64, which is one subscriber
};

struct ApiResponse {
  unsigned status = 200;
  std::string body;  // empty: no body
  std::string content_type = "application/json";
  std::map<std::string, std::string> headers;  // further ones ("Location", "Retry-After")
};

// `value` as the answer.
ApiResponse json_response(const Json& value, unsigned status = 200);

// An RFC 9457 problem, application/problem+json: `code` is the machine word (PROTOCOL.md, "Refusals"), `detail` a
// sentence for the reader that says what to do. Neither holds personal data. `extra` members stand beside them (a 409's
// order).
ApiResponse problem(unsigned status, std::string_view code, std::string_view detail,
                    const Json& extra = Json::object());

// The problem for a failure: 400 malformed, 403 refused, 404 not found, 409 conflict and waiting, 503 unavailable and
// I/O, 500 internal. `code` is the error's reason, `detail` its message, but for I/O and internal errors, whose message
// is for the log only.
ApiResponse problem(const Error& error);

// Answers one request. Called on the store thread, one call at a time, so it may block on disk for milliseconds and
// needs no lock against other handlers; never for longer, never for the network. Throws nothing.
using Handler = std::function<ApiResponse(const ApiRequest&)>;

// Who may call a route. Checked before its body is read.
enum class Caller {
  kAnyone,   // no proof asked for here; the handler may ask for its own
  kSession,  // 401 "no_session" without a bearer token; whether the token is good is the handler's to say
  kHub,      // 401 "no_client_certificate" without a client key; whose key it is is the handler's to say
};

// Which share of the connections a route is served from: hubs are never kept waiting by staff pages.
enum class Traffic { kHub, kStaff };

// Where a handler runs. On the network thread: beside the store thread, a few at a time, and it may wait for another
// server for up to 15 s; such a handler touches nothing that the store thread owns.
enum class Runs { kStoreThread, kNetworkThread };

struct Route {
  std::string method;   // "GET"
  std::string pattern;  // "/v1/residents/{id}": a {name} matches one non-empty segment
  Caller caller = Caller::kAnyone;
  Traffic traffic = Traffic::kStaff;
  std::size_t max_body = kDefaultMaxBody;  // a larger one is 413 before it is read
  Handler handler;
  Runs runs = Runs::kStoreThread;
  bool is_routine = false;  // 200 is no line in the log, a figure only: heartbeats
  // Where a stranger asks: under whom the request takes its turn, by what it asks for. Called on the loop with the
  // body.
  std::function<std::string(const ApiRequest&)> turn_of = [](const ApiRequest&) { return std::string(); };
};

}  // namespace tillsyn::http
