#pragma once

#include <string>

#include "common/base/json.h"
#include "common/base/result.h"

namespace tillsyn::cli {

inline constexpr const char* kControlSocket = "/run/tillsyn-link/control.sock";

// Asks tillsyn-link (firmware/link/control.h) and waits up to 60 s. An answer {"ok":false,…} is kRefused with its
// reason; kUnavailable "link_away" if nobody listens there, "link_silent" if no answer comes.
Result<Json> ask_link(const std::string& socket_path, const Json& request);

}  // namespace tillsyn::cli
