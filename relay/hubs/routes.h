#pragma once

#include <chrono>

#include "relay/http/router.h"
#include "relay/hubs/hubs.h"

namespace tillsyn::hubs {

struct Times {
  std::chrono::milliseconds hold = std::chrono::seconds(25);         // how long a poll waits for something to say
  std::chrono::milliseconds repeat = std::chrono::seconds(5);        // before the same is said again to a gate
  std::chrono::milliseconds repeat_away = std::chrono::seconds(60);  // and to a link whose gate is away
};

// The hub's requests (PROTOCOL.md, "Hub and relay") but for streams. A hub is who its TLS client certificate says.
// Threads: bound to the loop. Must outlive the server.
class Routes {
 public:
  Routes(Hubs& hubs, Desk& desk, http::Workers& store, Times times = {})
      : hubs_(hubs), desk_(desk), store_(store), times_(times) {}

  void add_to(http::Router& router);

 private:
  // Constructed, not filled: GCC 12 destroys aggregate temporaries of a coroutine twice.
  struct Asker {
    Asker(Hub who, std::uint64_t events_acked) : hub(std::move(who)), acked(events_acked) {}
    Hub hub;
    std::uint64_t acked;
  };

  asio::awaitable<Result<Asker>> hear(http::Exchange& exchange);
  asio::awaitable<http::ApiResponse> poll(http::Exchange& exchange);
  asio::awaitable<http::ApiResponse> report(http::Exchange& exchange);
  asio::awaitable<http::ApiResponse> enrol(http::Exchange& exchange);
  http::ApiResponse trust();

  asio::awaitable<std::string> next_words(const Hub& hub, std::uint64_t& acked, const http::Share& share);

  Hubs& hubs_;
  Desk& desk_;
  http::Workers& store_;
  Times times_;
};

}  // namespace tillsyn::hubs
