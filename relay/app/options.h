#pragma once

#include <string>

namespace tillsyn::app {

// How the relay is started.
struct Options {
  std::string listen = "[::]:443";  // IP:port; port 0 takes a free one
  std::string tls_certificate;      // PEM files
  std::string tls_key;
  std::string fleet_root;     // the fleet root's public keys
  std::string store;          // a folder of the relay's own
  std::string ledger_copies;  // a folder of another machine's; empty: none
  std::string watch;          // IP:port on loopback for health and figures; empty: none
  bool list_routes = false;   // print every route and end
};

}  // namespace tillsyn::app
