#include "relay/sessions/sessions.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "relay/http/page.h"
#include "relay/sessions/live.h"
#include "relay/sessions/messages.h"
#include "relay/sessions/upload.h"

namespace tillsyn::sessions {

namespace {

using http::ApiResponse;
using http::Exchange;

http::Route terms(const char* method, const char* pattern, http::Caller caller, http::Traffic traffic) {
  http::Route route;
  route.method = method;
  route.pattern = pattern;
  route.caller = caller;
  route.traffic = traffic;
  return route;
}

// Everywhere else a refusal is 403; here the caller is merely not known.
ApiResponse no_session(const Error& error) {
  return error.reason == "no_session" ? http::problem(401, error.reason, error.message) : http::problem(error);
}

// The same whether there is no such stream or it is another hub's.
ApiResponse no_such_stream() {
  return http::problem(404, "no_such_stream", "No viewer waits for this stream from this hub; close the camera.");
}

// A stream among those that are woken, for as long as it waits: a server that ends destroys it in the middle of that.
class EarlyStream {
 public:
  EarlyStream(std::set<http::Timer*>& all, http::Timer& timer) : all_(all), timer_(timer) { all_.insert(&timer_); }
  ~EarlyStream() { all_.erase(&timer_); }
  EarlyStream(const EarlyStream&) = delete;
  EarlyStream& operator=(const EarlyStream&) = delete;

 private:
  std::set<http::Timer*>& all_;
  http::Timer& timer_;
};

}  // namespace

Sessions::Sessions(Parts parts) : parts_(std::move(parts)) { parts_.hubs.listen(this); }

Sessions::~Sessions() { parts_.hubs.listen(nullptr); }

void Sessions::add_to(http::Router& router) {
  router.add_take_over(terms("GET", "/v1/live", http::Caller::kAnyone, http::Traffic::kStaff),
                       [this](Exchange& exchange) { return live(exchange); });
  router.add_held(terms("GET", "/v1/hubs", http::Caller::kSession, http::Traffic::kStaff),
                  [this](Exchange& exchange) { return list_hubs(exchange); });
  router.add_take_over(terms("POST", "/hub/v1/streams/{stream}", http::Caller::kHub, http::Traffic::kHub),
                       [this](Exchange& exchange) { return stream(exchange); });
}

asio::awaitable<std::optional<ApiResponse>> Sessions::live(Exchange& exchange) {
  if (!boost::beast::websocket::is_upgrade(exchange.head) || exchange.received.size() > 0) {
    co_return http::problem(426, "not_a_websocket", "Den här adressen talar bara WebSocket.");
  }
  if (!exchange.request.origin) {
    co_return http::problem(403, "foreign_origin", "Den här adressen är till för personalappen.");
  }
  const auto page = std::make_shared<Live>(*this, exchange);
  co_await page->run();
  co_return std::nullopt;
}

asio::awaitable<ApiResponse> Sessions::list_hubs(Exchange& exchange) {
  auto job = [this, &exchange] { return parts_.desk.authenticate(*exchange.request.bearer); };
  const auto viewer = co_await parts_.store.run(std::move(job), exchange.share);
  if (!viewer.ok()) co_return no_session(viewer.error());
  const auto asked = http::page_asked(exchange.request);
  if (!asked.ok()) co_return http::problem(asked.error());
  http::Page page(*asked);
  for (const auto& known : parts_.hubs.of_provider(viewer->provider)) {
    page.add(known.hub.id, [&] { return hub_json(known); });
  }
  co_return http::json_response(std::move(page).json());
}

asio::awaitable<std::optional<ApiResponse>> Sessions::stream(Exchange& exchange) {
  auto job = [this, key = *exchange.request.client_key] { return parts_.hubs.identify(key); };
  const auto hub = co_await parts_.store.run(std::move(job), exchange.share);
  if (!hub.ok()) co_return http::problem(hub.error());
  const auto view = co_await view_of(hub->id, exchange.request.params.at("stream"));
  if (!view) co_return no_such_stream();
  if (view->upload != nullptr) co_return http::problem(409, "stream_taken", "This stream is already being sent.");
  if (!exchange.head.chunked()) {
    co_return http::problem(411, "not_chunked", "A stream is sent in the chunked coding, without Content-Length.");
  }
  Upload upload(*this, view, exchange);
  co_await upload.run();
  co_return std::nullopt;
}

asio::awaitable<std::shared_ptr<View>> Sessions::view_of(const std::string& hub, const std::string& stream) {
  http::Timer timer(parts_.loop);
  timer.expires_after(parts_.times.answer);
  const auto end = timer.expiry();
  const EarlyStream waits(early_streams_, timer);
  auto view = find_view(hub, stream);
  while (!view && awaits_answer(hub) && http::Timer::clock_type::now() < end) {
    timer.expires_at(end);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    view = find_view(hub, stream);
  }
  co_return view;
}

std::shared_ptr<View> Sessions::find_view(const std::string& hub, const std::string& stream) const {
  const auto found = by_stream_.find({hub, stream});
  return found == by_stream_.end() ? nullptr : found->second.lock();
}

bool Sessions::awaits_answer(const std::string& hub) const {
  return std::any_of(by_hash_.begin(), by_hash_.end(), [&](const auto& known) {
    const auto view = known.second.lock();
    return view && view->entered.hub == hub && view->stream.empty();
  });
}

void Sessions::wake_early_streams() {
  for (http::Timer* timer : early_streams_) timer->cancel();
}

void Sessions::orders_changed(const std::string& provider) {
  for (Live* page : lives_) {
    if (page->viewer() && page->viewer()->provider == provider) page->orders_changed();
  }
}

void Sessions::restarting() {
  for (Live* page : lives_) page->restarting();
}

void Sessions::hub_changed(const hubs::Hubs::Known& hub) {
  for (Live* page : lives_) page->hub_changed(hub);
}

void Sessions::answered(const hubs::Hub& hub, const Json& envelope) {
  const auto answer = read_answer(envelope);
  if (!answer.ok()) return;
  const auto found = by_hash_.find(answer->order);
  const auto view = found == by_hash_.end() ? nullptr : found->second.lock();
  const auto viewer = view && view->entered.hub == hub.id && view->stream.empty() ? view->viewer.lock() : nullptr;
  if (!viewer) return;
  if (answer->stream) by_stream_[{hub.id, *answer->stream}] = view;
  viewer->answered(envelope, answer->stream);
  wake_early_streams();
}

void Sessions::remove(const View& view) {
  by_hash_.erase(view.entered.hash);
  by_stream_.erase({view.entered.hub, view.stream});
  wake_early_streams();
}

void Sessions::enter(const EnteredView& view, const char* what, const std::string& reason) {
  spdlog::info("event={} hub={} reason={}", what, view.hub, reason);
  const auto job = [this, view, what, reason]() -> asio::awaitable<void> {
    auto saw = [this, &view, what, &reason] { return parts_.desk.saw(view, what, reason); };
    const http::Share share(http::Urgency::kView, view.provider, view.hub);
    const auto entered = co_await parts_.store.run(std::move(saw), share);
    if (!entered.ok()) spdlog::error("event=not_entered what={} reason={}", what, entered.error().reason);
  };
  asio::co_spawn(parts_.loop, job, asio::detached);
}

}  // namespace tillsyn::sessions
