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
  std::size_t max_hubs = 20'000;     // connections with a client certificate
  std::size_t max_staff = 4'000;     // all others
  std::size_t max_per_peer = 1'000;  // a municipality's offices, or an operator's whole mobile net, may be one address

  double requests_per_second = 100;  // a peer address
  double request_burst = 400;

  std::size_t store_queue_staff = 128;   // jobs waiting for the store or another server when staff pages are refused
  std::size_t store_queue_hubs = 2'048;  // and when hubs are
};

}  // namespace tillsyn::http
