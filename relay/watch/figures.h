#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/instant.h"
#include "relay/http/server.h"

namespace tillsyn::watch {

// The relay's figures in Prometheus' text format. Labels are routes, methods, statuses and providers' names, nothing
// that a request could make up. Threads: thread-safe.
class Figures {
 public:
  Figures();
  ~Figures();

  void served(const http::Served& request);

  // What is so now; set before each `text`.
  struct Now {
    bool is_ready = false;
    std::size_t hub_connections = 0;
    std::size_t staff_connections = 0;
    std::size_t store_queue = 0;
    std::optional<Instant> root_list_expires;
    std::optional<Instant> bundle_expires;
    struct Provider {
      bool is_served = false;
      std::uint64_t ledger_entries = 0;
      std::size_t hubs_online = 0;
      std::size_t hubs_lost = 0;
    };
    std::map<std::string, Provider> providers;
    std::map<std::string, std::uint64_t> ledger_copied;  // entries in the copy of each provider's log
  };
  void set(const Now& now);

  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tillsyn::watch
