#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/base/result.h"
#include "relay/api/desks.h"
#include "relay/api/services.h"
#include "relay/app/options.h"
#include "relay/copies/copying.h"
#include "relay/http/server.h"
#include "relay/hubs/hubs.h"
#include "relay/hubs/routes.h"
#include "relay/sessions/sessions.h"
#include "relay/watch/figures.h"
#include "relay/watch/listener.h"

namespace tillsyn::app {

namespace asio = boost::asio;

// The relay, put together. One loop owns network, presence and views; one store thread owns everything on disk; a few
// threads wait for identity providers.
class Relay {
 public:
  // Reads the files and opens the store. Failures are sentences for the one who starts it.
  static Result<std::unique_ptr<Relay>> open(const Options& options);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // The port taken. Serves once `run` is called.
  Result<std::uint16_t> listen(const std::string& address) { return server_->listen(address); }

  // Where health and figures are to be had: /livez (the loop runs), /readyz (200, or 503 with a sentence that says what
  // to do) and /metrics (Prometheus). The port taken.
  Result<std::uint16_t> watch(const std::string& address) { return watch_.listen(address); }

  // Every route as JSON: {"routes":[{"method","path","caller"}]}.
  std::string route_table() const;

  // Serves until SIGTERM or SIGINT, tells the pages that it restarts, closes every connection and returns true. After a
  // failure of the store it goes on only for the views that run, and returns false when there is none: only a restart
  // can tell whether the disk is well again.
  bool run();

  // After `run`: whether a thread is still in a call that does not return, as to a copy's folder that hangs. This
  // object cannot be destroyed then: the process has to end as it is.
  bool is_hanging() const { return copying_ && !copying_->has_ended(); }

 private:
  Relay(std::unique_ptr<api::Services> services, http::SslCtx tls);
  Result<void> know_hubs();
  void listen_to_changes();
  void use_origins(std::vector<std::string> origins);
  asio::awaitable<void> tick();
  asio::awaitable<void> close_connections();
  asio::awaitable<void> end_copying();
  asio::awaitable<void> watch();
  std::optional<std::map<std::string, alarms::CopyHeard>> heard_of_copies() const;
  asio::awaitable<void> send_webhooks();
  asio::awaitable<void> send(std::string provider, webhooks::Delivery delivery);
  void stop();
  void end_after_store_failure();
  std::string trouble(const api::Health& health) const;
  asio::awaitable<std::optional<http::ApiResponse>> answer_watcher(std::string path);
  watch::Figures::Now figures_of(const api::Health& health) const;

  static constexpr std::size_t kNetworkThreads = 8;
  static constexpr std::size_t kLoginsAtOneIssuer = 2;  // that wait for an identity provider: it may be silent
  static constexpr std::size_t kWebhookThreads = 4;     // their own: a slow receiver keeps nobody from logging in
  static constexpr std::size_t kWebhooksOfOne = 1;      // and another provider's from nothing

  asio::io_context loop_{1};
  http::Workers store_{1};
  http::Workers network_{kNetworkThreads, kLoginsAtOneIssuer};
  http::Workers webhooks_{kWebhookThreads, kWebhooksOfOne};
  std::unique_ptr<api::Services> services_;
  api::HubDesk hub_desk_;
  api::ViewDesk view_desk_;
  hubs::Hubs hubs_;
  hubs::Routes hub_routes_;
  sessions::Sessions sessions_;
  http::Router router_;
  std::unique_ptr<copies::Copying> copying_;  // null: nowhere
  http::SslCtx tls_;
  std::set<std::string, std::less<>> app_origins_;
  std::unique_ptr<http::Server> server_;
  http::Timer ticks_;
  http::Timer watches_;
  http::Timer sends_;
  std::set<std::string> sending_;  // integrations that are being told something
  asio::signal_set signals_;
  watch::Figures figures_;
  watch::Listener watch_;
  bool is_stopping_ = false;
  bool has_store_failed_ = false;
};

}  // namespace tillsyn::app
