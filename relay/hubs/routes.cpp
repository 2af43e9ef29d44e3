#include "relay/hubs/routes.h"

#include <algorithm>

#include "relay/hubs/messages.h"

namespace tillsyn::hubs {

namespace {

using http::ApiResponse;
using http::Caller;
using http::Exchange;
using http::Route;
using http::Traffic;

constexpr std::size_t kMaxOrdersBytes = 1024 * 1024;  // in one answer; what is left out is lacking at the next poll too
constexpr std::size_t kPollMaxBody = 32 * 1024;
constexpr std::size_t kReportMaxBody = 256 * 1024;

ApiResponse json_text(std::string text) {
  ApiResponse response;
  response.body = std::move(text);
  return response;
}

Route terms(const char* method, const char* pattern, Caller caller, std::size_t max_body = http::kDefaultMaxBody) {
  Route route;
  route.method = method;
  route.pattern = pattern;
  route.caller = caller;
  route.traffic = Traffic::kHub;
  route.max_body = max_body;
  return route;
}

void keep_what_fits(std::vector<std::string>& orders) {
  std::size_t bytes = 0;
  const auto first_too_many = std::find_if(orders.begin(), orders.end(), [&](const std::string& order) {
    bytes += order.size();
    return bytes > kMaxOrdersBytes;
  });
  orders.erase(first_too_many, orders.end());
}

std::uint64_t acked_in(const Json& status) {
  const auto acked = status.is_object() ? status.find("events_acked") : status.end();
  return acked != status.end() && acked->is_number_unsigned() ? acked->get<std::uint64_t>() : 0;
}

bool has_something_to_say(const Work& work, const std::vector<std::string>& offers, const Json& status) {
  if (!work.trust.root_list.empty() || !work.trust.bundle.empty() || !work.orders.empty() || !offers.empty())
    return true;
  return status.is_object() && work.events_acked && acked_in(status) < *work.events_acked;
}

}  // namespace

void Routes::add_to(http::Router& router) {
  Route trust_route = terms("GET", "/hub/v1/trust", Caller::kAnyone, 0);
  trust_route.handler = [this](const http::ApiRequest&) { return trust(); };
  router.add(std::move(trust_route));
  Route poll_route = terms("POST", "/hub/v1/poll", Caller::kHub, kPollMaxBody);
  poll_route.is_routine = true;
  router.add_held(std::move(poll_route), [this](Exchange& exchange) { return poll(exchange); });
  router.add_held(terms("POST", "/hub/v1/report", Caller::kHub, kReportMaxBody),
                  [this](Exchange& exchange) { return report(exchange); });
  router.add_held(terms("POST", "/hub/v1/enrol", Caller::kHub, kPollMaxBody),
                  [this](Exchange& exchange) { return enrol(exchange); });
}

ApiResponse Routes::trust() {
  const auto trust = desk_.trust();
  return trust.ok() ? json_text(format_trust(*trust)) : http::problem(trust.error());
}

// Takes in what the poll tells. A held poll keeps nothing of its request but whose it is.
asio::awaitable<Result<Routes::Asker>> Routes::hear(Exchange& exchange) {
  std::string body;
  body.swap(exchange.request.body);
  const auto status = read_poll(body);
  if (!status.ok()) co_return status.error();
  const auto hub = co_await hubs_.whose(*exchange.request.client_key, exchange.share);
  if (!hub.ok()) co_return hub.error();
  hubs_.heard(*hub, *status);
  co_return Asker{*hub, acked_in(*status)};
}

asio::awaitable<ApiResponse> Routes::poll(Exchange& exchange) {
  auto asker = co_await hear(exchange);
  if (!asker.ok()) co_return http::problem(asker.error());
  auto& [hub, acked] = *asker;
  Hubs::Hold hold(hubs_, hub);
  const auto deadline = hubs_.now() + times_.hold;
  for (;;) {
    auto words = co_await next_words(hub, acked, exchange.share);
    if (!words.empty()) co_return json_text(std::move(words));
    const auto ended = co_await hold.wait(deadline, exchange.stream);
    if (ended == Hubs::Hold::Ended::kPeerGone) co_return http::problem(503, "peer_gone", "The hub has gone.");
    if (ended != Hubs::Hold::Ended::kWoken) co_return json_text(format_poll_answer({}, {}, acked));
  }
}

// What there is to say to the hub, empty when there is nothing, or nothing but what was said so lately that the hub
// cannot have acted on it: else poll and answer would chase each other.
asio::awaitable<std::string> Routes::next_words(const Hub& hub, std::uint64_t& acked, const http::Share& share) {
  Quiet& quiet = hubs_.quiet_of(hub);
  const auto known = quiet.holds(hubs_.now());
  acked = known.value_or(acked);
  if (known) co_return std::string();
  const auto changes = quiet.changes();
  const Json status = hubs_.status_of(hub);
  auto job = [this, &hub, &status] { return desk_.work_for(hub, status); };
  auto found = co_await store_.run(std::move(job), share);
  Work work = found.ok() ? std::move(*found) : Work{};  // views go on while the store does not; the desk has logged why
  keep_what_fits(work.orders);
  acked = work.events_acked.value_or(acked);
  const auto offers = co_await hubs_.take_offers(hub, status);
  if (!has_something_to_say(work, offers, status)) {
    if (work.events_acked && !work.has_waiting) quiet.found(changes, acked, hubs_.now());
    co_return std::string();
  }
  auto words = format_poll_answer(work, offers, acked);
  const auto repeat = status.is_null() ? times_.repeat_away : times_.repeat;
  co_return hubs_.is_repetition(hub, words, repeat) ? std::string() : words;
}

asio::awaitable<ApiResponse> Routes::report(Exchange& exchange) {
  auto request = read_report(exchange.request.body);
  if (!request.ok()) co_return http::problem(request.error());
  const auto hub = co_await hubs_.whose(*exchange.request.client_key, exchange.share);
  if (!hub.ok()) co_return http::problem(hub.error());
  if (!request->status.is_null()) hubs_.heard(*hub, request->status);
  // A viewer waits for the answer, and verifies it itself; the log can follow.
  hubs_.answered(*hub, request->report.answers);
  auto job = [this, &hub, &request] { return desk_.record(*hub, request->report); };
  const auto acked = co_await store_.run(std::move(job), exchange.share);
  if (!acked.ok()) co_return http::problem(acked.error());
  co_return json_text("{\"events_acked\":" + std::to_string(*acked) + "}");
}

asio::awaitable<ApiResponse> Routes::enrol(Exchange& exchange) {
  auto request = read_enrol(exchange.request.body);
  if (!request.ok()) co_return http::problem(request.error());
  auto job = [this, &request, key = *exchange.request.client_key] {
    return desk_.enrol(request->code, request->link_key, key);
  };
  const auto hub = co_await store_.run(std::move(job), exchange.share);
  if (!hub.ok()) co_return http::problem(hub.error());
  hubs_.expect(*hub);
  co_return http::json_response(Json{{"hub", hub->id}, {"provider", hub->provider}});
}

}  // namespace tillsyn::hubs
