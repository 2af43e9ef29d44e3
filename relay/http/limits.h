#pragma once

#include <chrono>
#include <cstddef>

namespace tillsyn::http {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What the server lets anybody take of it. The defaults are for one relay of some thousand hubs.
struct Limits {
  std::size_t header_bytes = 16 * 1024;

  milliseconds handshake = seconds(10);
  milliseconds header = seconds(10);  // from its first byte
  milliseconds body = seconds(30);
  milliseconds idle = seconds(75);  // between requests; longer than a poll is held
  milliseconds write = seconds(30);

  std::size_t max_handshaking = 512;
  std::size_t max_hubs = 20'000;  // connections with a client certificate
  std::size_t max_staff = 4'000;  // all others
  std::size_t max_per_peer =
      1'000;  // of strangers: a municipality's offices, or a whole mobile net, may be one address
  std::size_t max_hubs_of_provider = 12'000;
  std::size_t max_staff_of_provider = 1'500;

  double requests_per_second = 100;  // a caller: a hub, a session, of strangers a peer address
  double request_burst = 400;
  double provider_requests_per_second = 500;  // all of a provider's staff
  double provider_request_burst = 2'000;
  double provider_hub_requests_per_second = 4'000;  // all of its hubs, which may all come back at once
  double provider_hub_request_burst = 20'000;

  // Jobs of one provider that wait for the store, or for another server, when further ones are refused; strangers count
  // as one provider. Views are not refused.
  std::size_t waiting_for_lists = 128;
  std::size_t waiting_for_acts = 512;
  std::size_t waiting_for_hubs = 2'048;
  std::size_t waiting_of_caller = 64;  // of one urgency
};

}  // namespace tillsyn::http
