#include "relay/app/relay.h"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <sstream>

#include "relay/api/routes.h"

namespace tillsyn::app {

namespace {

constexpr auto kTick = std::chrono::seconds(1);

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
  return relay;
}

Relay::Relay(std::unique_ptr<api::Services> services, http::SslCtx tls)
    : services_(std::move(services)),
      hub_desk_(*services_),
      view_desk_(*services_),
      hubs_(loop_.get_executor(), store_, hub_desk_, [] { return hubs::Hubs::Time::clock::now(); }),
      hub_routes_(hubs_, hub_desk_, store_),
      sessions_({loop_.get_executor(), store_, hubs_, view_desk_, {}}),
      tls_(std::move(tls)),
      ticks_(loop_.get_executor()),
      signals_(loop_, SIGTERM, SIGINT) {
  router_.add(api::routes(*services_));
  hub_routes_.add_to(router_);
  sessions_.add_to(router_);
  const auto is_app_origin = [this](std::string_view origin) { return app_origins_.contains(origin); };
  server_ =
      std::make_unique<http::Server>(http::Server::Parts{loop_, *tls_, store_, network_, router_, is_app_origin, {}});
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
  listener.orders_changed = [this](const std::string& provider) {
    asio::post(loop_, [this, provider] {
      hubs_.wake(provider);
      sessions_.orders_changed(provider);
    });
  };
  listener.trust_changed = [this] {
    asio::post(loop_, [this, origins = services_->app_origins()]() mutable {
      use_origins(std::move(origins));
      hubs_.wake("");
    });
  };
  services_->listen(std::move(listener));
}

void Relay::use_origins(std::vector<std::string> origins) { app_origins_ = {origins.begin(), origins.end()}; }

asio::awaitable<void> Relay::tick() {
  while (!is_stopping_) {
    hubs_.tick();
    ticks_.expires_after(kTick);
    co_await ticks_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Relay::run() {
  signals_.async_wait([this](const http::error_code& error, int) {
    if (!error) stop();
  });
  asio::co_spawn(loop_, tick(), asio::detached);
  loop_.run();  // ends when the last connection has
  store_.stop();
  network_.stop();
}

void Relay::stop() {
  spdlog::info("event=stopping");
  is_stopping_ = true;
  server_->stop();
  ticks_.cancel();
}

}  // namespace tillsyn::app
