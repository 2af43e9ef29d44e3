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

bool has_something_to_say(const Work& work, const std::vector<std::string>& offers, const Json& status) {
  if (!work.trust.root_list.empty() || !work.trust.bundle.empty() || !work.orders.empty() || !offers.empty())
    return true;
  const auto acked = status.is_object() ? status.find("events_acked") : status.end();
  return acked != status.end() && acked->is_number_unsigned() && acked->get<std::uint64_t>() < work.events_acked;
}

}  // namespace

void Routes::add_to(http::Router& router) {
  Route trust_route = terms("GET", "/hub/v1/trust", Caller::kAnyone, 0);
  trust_route.handler = [this](const http::ApiRequest&) { return trust(); };
  router.add(std::move(trust_route));
  router.add_held(terms("POST", "/hub/v1/poll", Caller::kHub, kPollMaxBody),
                  [this](Exchange& exchange) { return poll(exchange); });
  router.add_held(terms("POST", "/hub/v1/report", Caller::kHub, kReportMaxBody),
                  [this](Exchange& exchange) { return report(exchange); });
  router.add_held(terms("POST", "/hub/v1/enrol", Caller::kHub, kPollMaxBody),
                  [this](Exchange& exchange) { return enrol(exchange); });
}

ApiResponse Routes::trust() {
  const auto trust = desk_.trust();
  return trust.ok() ? json_text(format_trust(*trust)) : http::problem(trust.error());
}

asio::awaitable<Result<Hub>> Routes::who(const Exchange& exchange) {
  auto job = [this, key = *exchange.request.client_key] { return desk_.find(key); };
  co_return co_await store_.run(std::move(job));
}

asio::awaitable<ApiResponse> Routes::poll(Exchange& exchange) {
  auto status = read_poll(exchange.request.body);
  if (!status.ok()) co_return http::problem(status.error());
  const auto hub = co_await who(exchange);
  if (!hub.ok()) co_return http::problem(hub.error());
  hubs_.heard(*hub, *status);
  Hubs::Hold hold(hubs_, *hub);
  const auto deadline = hubs_.now() + times_.hold;
  auto ended = Hubs::Hold::Ended::kWoken;
  for (;;) {
    auto words = co_await next_words(*hub, *status, ended != Hubs::Hold::Ended::kWoken);
    if (!words.empty()) co_return json_text(std::move(words));
    ended = co_await hold.wait(deadline, exchange.stream);
    if (ended == Hubs::Hold::Ended::kPeerGone) co_return http::problem(503, "peer_gone", "The hub has gone.");
  }
}

// What there is to say to the hub, empty when there is nothing (unless `even_nothing`), or nothing but what was said so
// lately that the hub cannot have acted on it: else poll and answer would chase each other.
asio::awaitable<std::string> Routes::next_words(const Hub& hub, const Json& status, bool even_nothing) {
  auto job = [this, &hub, &status] { return desk_.work_for(hub, status); };
  auto found = co_await store_.run(std::move(job));
  Work work = found.ok() ? std::move(*found) : Work{};  // views go on while the store does not; the desk has logged why
  keep_what_fits(work.orders);
  const auto offers = co_await hubs_.take_offers(hub, status);
  auto words = format_poll_answer(work, offers);
  const auto repeat = status.is_null() ? times_.repeat_away : times_.repeat;
  const bool is_news = has_something_to_say(work, offers, status) && !hubs_.is_repetition(hub, words, repeat);
  if (is_news) co_return words;
  co_return even_nothing ? format_poll_answer(Work{.trust = {}, .orders = {}, .events_acked = work.events_acked}, {})
                         : std::string();
}

asio::awaitable<ApiResponse> Routes::report(Exchange& exchange) {
  auto request = read_report(exchange.request.body);
  if (!request.ok()) co_return http::problem(request.error());
  const auto hub = co_await who(exchange);
  if (!hub.ok()) co_return http::problem(hub.error());
  if (!request->status.is_null()) hubs_.heard(*hub, request->status);
  // A viewer waits for the answer, and verifies it itself; the log can follow.
  hubs_.answered(*hub, request->report.answers);
  auto job = [this, &hub, &request] { return desk_.record(*hub, request->report); };
  const auto acked = co_await store_.run(std::move(job));
  if (!acked.ok()) co_return http::problem(acked.error());
  co_return json_text("{\"events_acked\":" + std::to_string(*acked) + "}");
}

asio::awaitable<ApiResponse> Routes::enrol(Exchange& exchange) {
  auto request = read_enrol(exchange.request.body);
  if (!request.ok()) co_return http::problem(request.error());
  auto job = [this, &request, key = *exchange.request.client_key] {
    return desk_.enrol(request->code, request->link_key, key);
  };
  const auto hub = co_await store_.run(std::move(job));
  if (!hub.ok()) co_return http::problem(hub.error());
  hubs_.expect(*hub);
  co_return http::json_response(Json{{"hub", hub->id}, {"provider", hub->provider}});
}

}  // namespace tillsyn::hubs
