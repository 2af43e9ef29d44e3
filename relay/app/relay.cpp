#include "relay/app/relay.h"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <sstream>

#include "relay/api/routes.h"
#include "relay/webhooks/post.h"

namespace tillsyn::app {

namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kNone = std::chrono::milliseconds(0);
constexpr auto kGlance = std::chrono::milliseconds(20);
constexpr auto kFarewell = std::chrono::milliseconds(2000);
constexpr auto kLastCopy = std::chrono::milliseconds(3000);    // for what is being written when the relay ends
constexpr std::array kCallers = {"anyone", "session", "hub"};  // as http::Caller counts them
constexpr auto kLongestGroup = std::chrono::milliseconds(20);  // of jobs that wait for one commit
constexpr auto kWatchEvery = std::chrono::seconds(2);          // with a loss's 45 s and 8 s: told within a minute

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{Code::kNotFound, "file", "cannot read " + path};
  return text.str();
}

Instant wall_clock() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

}  // namespace

Result<std::unique_ptr<Relay>> Relay::open(const Options& options) {
  TILLSYN_TRY(root_text, read_text(options.fleet_root));
  auto root = orders::parse_fleet_root(root_text);
  if (!root.ok()) return root.error().within("the fleet root " + options.fleet_root);
  TILLSYN_TRY(tls, http::make_tls_context(options.tls_certificate, options.tls_key));
  auto services = api::Services::open(options.store, std::move(*root), wall_clock);
  if (!services.ok()) return services.error().within("the store " + options.store);
  std::unique_ptr<Relay> relay(new Relay(std::move(*services), std::move(tls)));
  TILLSYN_CHECK(relay->know_hubs());
  if (!options.ledger_copies.empty()) {
    relay->copying_ = std::make_unique<copies::Copying>(relay->loop_.get_executor(), relay->store_, *relay->services_,
                                                        options.ledger_copies);
  }
  return relay;
}

Relay::Relay(std::unique_ptr<api::Services> services, http::SslCtx tls)
    : services_(std::move(services)),
      hub_desk_(*services_),
      view_desk_(*services_),
      hubs_(loop_.get_executor(), store_, hub_desk_, [] { return hubs::Hubs::Time::clock::now(); }),
      hub_routes_(hubs_, hub_desk_, store_),
      sessions_({loop_.get_executor(),
                 store_,
                 hubs_,
                 view_desk_,
                 {},
                 [this](const std::string& token) { return services_->provider_of_token(token); }}),
      tls_(std::move(tls)),
      ticks_(loop_.get_executor()),
      watches_(loop_.get_executor()),
      sends_(loop_.get_executor()),
      signals_(loop_, SIGTERM, SIGINT),
      watch_(loop_, [this](std::string path) { return answer_watcher(std::move(path)); }) {
  store::Store& on_disk = services_->store();
  store_.use({[&on_disk] { on_disk.begin_group(); }, [&on_disk] { return on_disk.has_group_written(); },
              [&on_disk] { return on_disk.commit_group().ok(); }, kLongestGroup});
  router_.add(api::routes(*services_));
  hub_routes_.add_to(router_);
  sessions_.add_to(router_);
  const auto is_app_origin = [this](std::string_view origin) { return app_origins_.contains(origin); };
  const auto served = [this](const http::Served& request) { figures_.served(request); };
  const auto of_token = [this](const std::string& token) { return services_->provider_of_token(token); };
  const auto of_link = [this](const ByteArray<65>& key) { return services_->provider_of_link(key); };
  server_ = std::make_unique<http::Server>(
      http::Server::Parts{loop_, *tls_, store_, network_, router_, is_app_origin, {}, served, of_token, of_link});
  use_origins(services_->app_origins());
  listen_to_changes();
}

Relay::~Relay() = default;

Result<void> Relay::know_hubs() {
  TILLSYN_TRY(enrolled, hub_desk_.enrolled());
  for (const auto& hub : enrolled) hubs_.expect(hub);
  return {};
}

// Changes are told on the store thread; presence and pages live on the loop.
void Relay::listen_to_changes() {
  api::Listener listener;
  listener.orders_changed = [this](const std::string& provider, const api::Listener::Hubs& hubs) {
    asio::post(loop_, [this, provider, hubs] {
      hubs_.orders_changed(provider, hubs);
      sessions_.orders_changed(provider);
    });
  };
  listener.lists_changed = [this](const std::string& provider) {
    asio::post(loop_, [this, provider] { sessions_.orders_changed(provider); });
  };
  listener.trust_changed = [this] {
    asio::post(loop_, [this, origins = services_->app_origins()]() mutable {
      use_origins(std::move(origins));
      hubs_.trust_changed();
    });
  };
  services_->listen(std::move(listener));
}

void Relay::use_origins(std::vector<std::string> origins) { app_origins_ = {origins.begin(), origins.end()}; }

asio::awaitable<void> Relay::tick() {
  while (!is_stopping_) {
    hubs_.tick();
    end_after_store_failure();
    ticks_.expires_after(kTick);
    co_await ticks_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// What presence knows, and then everything that is derived from it, looked at anew.
asio::awaitable<void> Relay::watch() {
  while (!is_stopping_) {
    std::map<std::string, alarms::Hearing> heard_of;
    for (const auto& one : hubs_.silences()) {
      heard_of[one.hub.provider][one.hub.id] = {one.is_online,
                                                std::chrono::floor<std::chrono::milliseconds>(one.silent),
                                                std::chrono::floor<std::chrono::milliseconds>(one.online_for)};
    }
    auto job = [this, &heard_of, copies = heard_of_copies()] {
      if (copies) services_->hear_of_copies(*copies);
      services_->evaluate(std::move(heard_of));
      return true;
    };
    co_await store_.run(std::move(job));
    watches_.expires_after(kWatchEvery);
    co_await watches_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

std::optional<std::map<std::string, alarms::CopyHeard>> Relay::heard_of_copies() const {
  if (!copying_) return std::map<std::string, alarms::CopyHeard>();
  return copying_->heard();
}

asio::awaitable<void> Relay::send_webhooks() {
  while (!is_stopping_) {
    auto job = [this] { return services_->due_webhooks(); };
    auto due = co_await store_.run(std::move(job));
    for (auto& [provider, delivery] : due) {
      if (!sending_.insert(delivery.to.id).second) continue;
      asio::co_spawn(loop_, send(provider, std::move(delivery)), asio::detached);
    }
    sends_.expires_after(kTick);
    co_await sends_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<void> Relay::send(std::string provider, webhooks::Delivery delivery) {
  auto job = [&delivery] { return webhooks::post(delivery, wall_clock()); };
  const http::Share share(http::Urgency::kAct, provider, delivery.to.id);
  const auto status = co_await webhooks_.run(std::move(job), share);
  auto record = [this, &provider, &delivery, status] {
    services_->webhook_tried(provider, delivery.id, status);
    return true;
  };
  co_await store_.run(std::move(record));
  sending_.erase(delivery.to.id);
}

bool Relay::run() {
  signals_.async_wait([this](const http::error_code& error, int) {
    if (!error) stop();
  });
  asio::co_spawn(loop_, tick(), asio::detached);
  asio::co_spawn(loop_, watch(), asio::detached);
  asio::co_spawn(loop_, send_webhooks(), asio::detached);
  if (copying_) asio::co_spawn(loop_, copying_->run(), asio::detached);
  loop_.run();  // ends when the last connection has, and the last copy
  store_.stop();
  network_.stop();
  webhooks_.stop();
  return !has_store_failed_;
}

void Relay::stop() {
  spdlog::info("event=stopping");
  is_stopping_ = true;
  signals_.cancel();
  watch_.stop();
  ticks_.cancel();
  watches_.cancel();
  sends_.cancel();
  if (copying_) copying_->stop();
  sessions_.restarting();
  asio::co_spawn(loop_, close_connections(), asio::detached);
  if (copying_) asio::co_spawn(loop_, end_copying(), asio::detached);
}

// The loop would go on for as long as a folder hangs. What was acknowledged is durable here; the copy is made good when
// the relay runs again.
asio::awaitable<void> Relay::end_copying() {
  http::Timer pause(loop_.get_executor());
  for (auto waited = kNone; waited < kLastCopy && !copying_->has_ended(); waited += kGlance) {
    pause.expires_after(kGlance);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (copying_->has_ended()) co_return;
  spdlog::warn("event=ledger_copy_left why=\"The folder of --ledger-copies does not answer: ended without it.\"");
  loop_.stop();
}

// Pages and hubs get a moment to hear that their streams have ended.
asio::awaitable<void> Relay::close_connections() {
  http::Timer pause(loop_.get_executor());
  for (auto waited = kNone; waited < kFarewell && sessions_.pages() > 0; waited += kGlance) {
    pause.expires_after(kGlance);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  server_->stop();
}

void Relay::end_after_store_failure() {
  if (store_.waiting() > 0) return;
  auto look = [this]() -> asio::awaitable<void> {
    const auto health = co_await store_.run([this] { return services_->health(); });
    if (health.is_sound || is_stopping_) co_return;
    if (!has_store_failed_) spdlog::error("event=store_failed what=\"{}\"", health.trouble);
    has_store_failed_ = true;
    if (sessions_.views() == 0) stop();
  };
  asio::co_spawn(loop_, look, asio::detached);
}

std::string Relay::trouble(const api::Health& health) const {
  return health.trouble.empty() && copying_ ? copying_->trouble() : health.trouble;
}

asio::awaitable<std::optional<http::ApiResponse>> Relay::answer_watcher(std::string path) {
  if (path == "/livez") co_return http::json_response({{"live", true}});
  if (path != "/readyz" && path != "/metrics") co_return std::nullopt;
  const auto health = co_await store_.run([this] { return services_->health(); });
  if (path == "/readyz") {
    const std::string trouble = this->trouble(health);
    const bool is_ready = trouble.empty();
    co_return http::json_response({{"ready", is_ready}, {"trouble", is_ready ? Json() : Json(trouble)}},
                                  is_ready ? 200 : 503);
  }
  figures_.set(figures_of(health));
  http::ApiResponse response;
  response.content_type = "text/plain; version=0.0.4";
  response.body = figures_.text();
  co_return response;
}

watch::Figures::Now Relay::figures_of(const api::Health& health) const {
  watch::Figures::Now now;
  now.is_ready = trouble(health).empty();
  if (copying_) now.ledger_copied = copying_->copied();
  now.hub_connections = server_->admission().connections(http::Traffic::kHub);
  now.staff_connections = server_->admission().connections(http::Traffic::kStaff);
  now.store_queue = store_.waiting();
  now.root_list_expires = health.root_list_expires;
  now.bundle_expires = health.bundle_expires;
  for (const auto& [id, provider] : health.providers) {
    auto& figures = now.providers[id];
    figures.is_served = provider.is_served && provider.is_sound;
    figures.ledger_entries = provider.entries;
    const auto hubs = hubs_.count_of(id);
    figures.hubs_online = hubs.online;
    figures.hubs_lost = hubs.lost;
  }
  return now;
}

std::string Relay::route_table() const {
  Json routes = Json::array();
  for (const auto& endpoint : router_.endpoints()) {
    routes.push_back({{"method", endpoint.terms.method},
                      {"path", endpoint.terms.pattern},
                      {"caller", kCallers[static_cast<std::size_t>(endpoint.terms.caller)]}});
  }
  return Json{{"routes", std::move(routes)}}.dump();
}

}  // namespace tillsyn::app
