#include "relay/watch/figures.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace tillsyn::watch {

namespace {

using prometheus::Family;
using prometheus::Gauge;

Family<Gauge>& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

double seconds_of(const std::optional<Instant>& at) {
  return at ? static_cast<double>(at->time_since_epoch().count()) / 1000 : 0;
}

}  // namespace

struct Figures::State {
  prometheus::Registry registry;
  Family<prometheus::Counter>& requests =
      prometheus::BuildCounter().Name("tillsyn_requests_total").Help("Requests answered").Register(registry);
  Family<prometheus::Counter>& refused = prometheus::BuildCounter()
                                             .Name("tillsyn_refused_total")
                                             .Help("Requests refused for a limit; strangers have no provider")
                                             .Register(registry);
  Family<prometheus::Histogram>& durations = prometheus::BuildHistogram()
                                                 .Name("tillsyn_request_seconds")
                                                 .Help("From a request's header to its answer")
                                                 .Register(registry);
  Family<Gauge>& ready = gauge(registry, "tillsyn_ready", "1 if the relay can do its work");
  Family<Gauge>& connections = gauge(registry, "tillsyn_connections", "Open connections");
  Family<Gauge>& queue = gauge(registry, "tillsyn_store_queue", "Jobs that wait for the store");
  Family<Gauge>& expiry = gauge(registry, "tillsyn_trust_expires_seconds", "When it runs out, 0 without one");
  Family<Gauge>& served = gauge(registry, "tillsyn_provider_served", "1 if the provider's store and keys are in order");
  Family<Gauge>& entries = gauge(registry, "tillsyn_ledger_entries", "Entries in the provider's log");
  Family<Gauge>& copied = gauge(registry, "tillsyn_ledger_copied_entries", "Entries in the copy of the provider's log");
  Family<Gauge>& hubs = gauge(registry, "tillsyn_hubs", "Hubs of the provider");
};

Figures::Figures() : state_(std::make_unique<State>()) {}
Figures::~Figures() = default;

void Figures::served(const http::Served& request) {
  const std::string route(request.pattern);
  state_->requests
      .Add({{"method", std::string(request.method)}, {"route", route}, {"status", std::to_string(request.status)}})
      .Increment();
  if (!request.refused.empty()) {
    state_->refused.Add({{"provider", std::string(request.provider)}, {"reason", std::string(request.refused)}})
        .Increment();
  }
  // A held poll and a stream last as long as they are meant to.
  state_->durations.Add({{"route", route}}, prometheus::Histogram::BucketBoundaries{0.005, 0.02, 0.1, 0.5, 2, 10, 30})
      .Observe(std::chrono::duration<double>(request.took).count());
}

void Figures::set(const Now& now) {
  state_->ready.Add({}).Set(now.is_ready ? 1 : 0);
  state_->connections.Add({{"class", "hub"}}).Set(static_cast<double>(now.hub_connections));
  state_->connections.Add({{"class", "staff"}}).Set(static_cast<double>(now.staff_connections));
  state_->queue.Add({}).Set(static_cast<double>(now.store_queue));
  state_->expiry.Add({{"document", "root-list"}}).Set(seconds_of(now.root_list_expires));
  state_->expiry.Add({{"document", "bundle"}}).Set(seconds_of(now.bundle_expires));
  for (const auto& [id, entries] : now.ledger_copied) {
    state_->copied.Add({{"provider", id}}).Set(static_cast<double>(entries));
  }
  for (const auto& [id, provider] : now.providers) {
    state_->served.Add({{"provider", id}}).Set(provider.is_served ? 1 : 0);
    state_->entries.Add({{"provider", id}}).Set(static_cast<double>(provider.ledger_entries));
    state_->hubs.Add({{"provider", id}, {"state", "online"}}).Set(static_cast<double>(provider.hubs_online));
    state_->hubs.Add({{"provider", id}, {"state", "lost"}}).Set(static_cast<double>(provider.hubs_lost));
  }
}

std::string Figures::text() const { return prometheus::TextSerializer().Serialize(state_->registry.Collect()); }

}  // namespace tillsyn::watch
