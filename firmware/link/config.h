#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace tillsyn::link {

// Where things are on this hub. Addresses are not here: they come from the root list, through gate.
struct Config {
  std::string state_dir = "/var/lib/tillsyn-link";
  std::string gate_socket = "/run/tillsyn/gate.sock";
  std::string control_socket = "/run/tillsyn-link/control.sock";
};

// Reads {"state_dir","gate_socket","control_socket"}, each of them optional. Reason: "config".
Result<Config> parse_config(std::string_view text);

}  // namespace tillsyn::link
