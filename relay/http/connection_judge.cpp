#include <boost/beast/http/field.hpp>

#include "relay/http/connection.h"
#include "relay/http/request_head.h"

namespace tillsyn::http {

namespace {

ApiResponse with_retry(ApiResponse response, const char* seconds) {
  response.headers["Retry-After"] = seconds;
  return response;
}

ApiResponse overloaded() {
  return with_retry(problem(503, "overloaded", "Relät är överbelastat just nu. Försök igen om en liten stund."), "5");
}

ApiResponse no_such_path(const Router::Match& match) {
  if (match.allowed.empty()) return problem(404, "no_such_path", "Här finns ingenting med den adressen.");
  ApiResponse response = problem(405, "wrong_method", "Den adressen svarar inte på den metoden.");
  response.headers["Allow"] = match.allowed;
  return response;
}

}  // namespace

std::variant<Connection::Judged, ApiResponse> Connection::judge(const Head& head) {
  if (!server_.admission_.allow_request(peer_, Admission::Clock::now())) {
    return with_retry(problem(429, "too_many_requests", "För många anrop på kort tid. Vänta en liten stund."), "1");
  }
  if (class_is_full_) return overloaded();
  auto read = read_head(head);
  if (!read.ok()) return problem(read.error());
  Judged judged{std::move(read->request), server_.parts_.router.find(head.method_string(), read->encoded_path)};
  judged.request.params = judged.match.params;
  judged.request.client_key = client_key_;
  judged.request.peer = peer_;
  if (auto refusal = refuse_origin(judged.request)) return *std::move(refusal);
  const bool is_preflight = head.method() == beast::http::verb::options && origin_ &&
                            head.count(beast::http::field::access_control_request_method) == 1;
  if (is_preflight && !judged.match.allowed.empty()) return answer_preflight(judged.match);
  if (judged.match.endpoint == nullptr) return no_such_path(judged.match);
  if (auto refusal = refuse_caller(judged)) return *std::move(refusal);
  if (is_overloaded(judged.match.endpoint->terms)) return overloaded();
  return judged;
}

// A browser page of any other origin than the staff app's gets nothing, whatever it knows.
std::optional<ApiResponse> Connection::refuse_origin(const ApiRequest& request) {
  if (!request.origin) return std::nullopt;
  if (!server_.parts_.is_app_origin(*request.origin)) {
    return problem(403, "foreign_origin",
                   "Den här sidan får inte tala med relät. Öppna personalappen på dess egen adress.");
  }
  origin_ = request.origin;
  return std::nullopt;
}

std::optional<ApiResponse> Connection::refuse_caller(const Judged& judged) const {
  const Caller caller = judged.match.endpoint->terms.caller;
  if (caller == Caller::kSession && !judged.request.bearer) {
    return problem(401, "no_session", "Du är inte inloggad. Logga in och försök igen.");
  }
  if (caller == Caller::kHub && !judged.request.client_key) {
    return problem(401, "no_client_certificate",
                   "A hub shows its link key as a TLS client certificate; enrol, then call again.");
  }
  return std::nullopt;
}

Workers& Connection::workers_of(Runs runs) const {
  return runs == Runs::kStoreThread ? server_.parts_.store : server_.parts_.network;
}

bool Connection::is_overloaded(const Route& terms) const {
  const Limits& limits = server_.parts_.limits;
  const std::size_t most = terms.traffic == Traffic::kHub ? limits.store_queue_hubs : limits.store_queue_staff;
  return workers_of(terms.runs).waiting() >= most;
}

ApiResponse Connection::answer_preflight(const Router::Match& match) const {
  ApiResponse response;
  response.status = 204;
  response.headers["Access-Control-Allow-Methods"] = match.allowed;
  response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, If-Match";
  response.headers["Access-Control-Max-Age"] = "600";
  return response;
}

}  // namespace tillsyn::http
