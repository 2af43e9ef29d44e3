#include "firmware/link/config.h"

#include "common/base/json.h"

namespace tillsyn::link {

Result<Config> parse_config(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return malformed("config", json.error().message);
  JsonReader in(*json, "config");
  Config config;
  if (in.has("state_dir")) config.state_dir = in.text("state_dir", 1024);
  if (in.has("gate_socket")) config.gate_socket = in.text("gate_socket", 100);
  if (in.has("control_socket")) config.control_socket = in.text("control_socket", 100);
  if (const auto read = in.finish(); !read) return malformed("config", read.error().message);
  return config;
}

}  // namespace tillsyn::link
