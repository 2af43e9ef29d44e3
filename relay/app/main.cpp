#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "relay/app/relay.h"

namespace {

using tillsyn::app::Options;
using tillsyn::app::Relay;

void set_up_logging() {
  auto logger = std::make_shared<spdlog::logger>("relay", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// Every connection is a descriptor, and the usual soft limit is a thousand.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int refuse(const tillsyn::Error& error) {
  std::cerr << "tillsyn-relay cannot start: " << error.message << "\n";
  return 1;
}

// Started again by its supervisor: the disk may be well by then.
constexpr int kStoreFailed = 75;  // sysexits.h, EX_TEMPFAIL

tillsyn::Result<std::string> listen(Relay& relay, const Options& options) {
  TILLSYN_TRY(port, relay.listen(options.listen));
  if (options.watch.empty()) return "{\"listening\":" + std::to_string(port) + "}";
  TILLSYN_TRY(watched, relay.watch(options.watch));
  return "{\"listening\":" + std::to_string(port) + ",\"watched\":" + std::to_string(watched) + "}";
}

int serve(const Options& options) {
  auto relay = Relay::open(options);
  if (!relay.ok()) return refuse(relay.error());
  if (options.list_routes) {
    std::cout << (*relay)->route_table() << std::endl;
    return 0;
  }
  const auto ports = listen(**relay, options);
  if (!ports.ok()) return refuse(ports.error());
  std::cout << *ports << std::endl;
  const int code = (*relay)->run() ? 0 : kStoreFailed;
  if ((*relay)->is_hanging()) std::_Exit(code);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Tillsyn's relay: carries between hubs and staff what it can neither read nor forge.", "tillsyn-relay");
  app.add_option("--listen", options.listen, "IP:port; port 0 takes a free one")->capture_default_str();
  app.add_option("--tls-cert", options.tls_certificate, "certificate chain, PEM")->required();
  app.add_option("--tls-key", options.tls_key, "its key, PEM")->required();
  app.add_option("--fleet-root", options.fleet_root, "the fleet root's public keys")->required();
  app.add_option("--store", options.store, "the relay's own folder")->required();
  app.add_option("--ledger-copies", options.ledger_copies,
                 "a folder, of another machine's, for a copy of each provider's log; default: none");
  app.add_option("--watch", options.watch, "IP:port on loopback for /livez, /readyz and /metrics; default: none");
  app.add_flag("--routes", options.list_routes, "print every route as JSON and end");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets whose peer may be gone
  raise_descriptor_limit();
  set_up_logging();
  return serve(options);
}
