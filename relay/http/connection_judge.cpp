#include <boost/beast/http/field.hpp>
#include <cstdint>

#include "relay/http/connection.h"
#include "relay/http/request_head.h"

namespace tillsyn::http {

namespace {

constexpr std::size_t kNameBytes = 15;  // of a key or token: enough to tell one from another

ApiResponse with_retry(ApiResponse response, const char* seconds) {
  response.headers["Retry-After"] = seconds;
  return response;
}

ApiResponse no_such_path(const Router::Match& match) {
  if (match.allowed.empty()) return problem(404, "no_such_path", "Här finns ingenting med den adressen.");
  ApiResponse response = problem(405, "wrong_method", "Den adressen svarar inte på den metoden.");
  response.headers["Allow"] = match.allowed;
  return response;
}

Urgency urgency_of(const ApiRequest& request, const Router::Match& match) {
  if (match.endpoint == nullptr) return Urgency::kList;
  if (std::holds_alternative<TakeOverHandler>(match.endpoint->handler)) return Urgency::kView;
  if (match.endpoint->terms.traffic == Traffic::kHub) return Urgency::kHub;
  return request.method == "GET" ? Urgency::kList : Urgency::kAct;
}

std::size_t most_waiting(const Limits& limits, Urgency urgency) {
  switch (urgency) {
    case Urgency::kOwn:
    case Urgency::kView:
      return SIZE_MAX;
    case Urgency::kHub:
      return limits.waiting_for_hubs;
    case Urgency::kAct:
      return limits.waiting_for_acts;
    case Urgency::kList:
      return limits.waiting_for_lists;
  }
  return 0;
}

}  // namespace

Connection::Judgement Connection::judge(const Head& head) {
  auto read = read_head(head);
  if (!read.ok()) {
    auto refusal = refuse_rate(stranger(Urgency::kList), Traffic::kStaff);
    return refusal ? *std::move(refusal) : problem(read.error());
  }
  auto match = server_.parts_.router.find(head.method_string(), read->encoded_path);
  Share share = share_of(read->request, match);
  auto judged = std::make_unique<Judged>(std::move(read->request), std::move(match), std::move(share));
  judged->request.params = judged->match.params;
  judged->request.client_key = client_key_;
  judged->request.peer = peer_;
  return judge_known(std::move(judged), head);
}

Connection::Judgement Connection::judge_known(std::unique_ptr<Judged> judged, const Head& head) {
  const Endpoint* const endpoint = judged->match.endpoint;
  if (auto refusal = refuse_rate(judged->share, endpoint ? endpoint->terms.traffic : Traffic::kStaff))
    return *std::move(refusal);
  if (no_place_ == nullptr) no_place_ = server_.admission_.belongs(*ticket_, judged->share.provider);
  if (no_place_ != nullptr) return overloaded(no_place_);
  if (auto refusal = refuse_origin(judged->request)) return *std::move(refusal);
  const bool is_preflight = head.method() == beast::http::verb::options && origin_ &&
                            head.count(beast::http::field::access_control_request_method) == 1;
  if (is_preflight && !judged->match.allowed.empty()) return answer_preflight(judged->match);
  if (endpoint == nullptr) return no_such_path(judged->match);
  if (auto refusal = refuse_caller(*judged)) return *std::move(refusal);
  if (auto refusal = refuse_queue(judged->share, endpoint->terms.runs)) return *std::move(refusal);
  return judged;
}

Share Connection::stranger(Urgency urgency) const { return {urgency, "", peer_}; }

// By what the provider has given out to whoever asks: of it the caller's name is only a part, which opens nothing.
Share Connection::share_of(const ApiRequest& request, const Router::Match& match) const {
  const Urgency urgency = urgency_of(request, match);
  if (match.endpoint != nullptr && match.endpoint->terms.traffic == Traffic::kHub) {
    std::string provider = client_key_ ? server_.parts_.provider_of_link(*client_key_) : std::string();
    if (provider.empty()) return stranger(urgency);
    return {urgency, std::move(provider), text_of(ByteView(*client_key_).first(kNameBytes))};
  }
  std::string provider = request.bearer ? server_.parts_.provider_of_token(*request.bearer) : std::string();
  if (provider.empty()) return stranger(urgency);
  return {urgency, std::move(provider), request.bearer->substr(0, kNameBytes)};
}

std::optional<ApiResponse> Connection::refuse_rate(const Share& share, Traffic traffic) {
  const Refusal refusal = server_.admission_.refuse_request(share, traffic, Admission::Clock::now());
  if (refusal == nullptr) return std::nullopt;
  refused_ = refusal;
  return with_retry(problem(429, "too_many_requests", "För många anrop på kort tid. Vänta en liten stund."), "1");
}

std::optional<ApiResponse> Connection::refuse_queue(const Share& share, Runs runs) {
  const Limits& limits = server_.parts_.limits;
  const auto waiting = workers_of(runs).waiting(share);
  if (waiting.of_provider >= most_waiting(limits, share.urgency)) return overloaded("provider_queue");
  if (waiting.of_caller >= limits.waiting_of_caller) return overloaded("caller_queue");
  return std::nullopt;
}

ApiResponse Connection::overloaded(Refusal why) {
  refused_ = why;
  return with_retry(problem(503, "overloaded", "Relät är överbelastat just nu. Försök igen om en liten stund."), "5");
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

ApiResponse Connection::answer_preflight(const Router::Match& match) const {
  ApiResponse response;
  response.status = 204;
  response.headers["Access-Control-Allow-Methods"] = match.allowed;
  response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, If-Match";
  response.headers["Access-Control-Max-Age"] = "600";
  return response;
}

}  // namespace tillsyn::http
