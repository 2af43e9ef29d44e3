#include "firmware/link/relays.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

#include "common/base/json.h"

namespace tillsyn::link {
namespace {

constexpr std::size_t kMaxRelays = 16;
constexpr std::size_t kMaxHost = 260;
constexpr std::size_t kMaxCa = 64 * 1024;

constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
constexpr std::string_view kAddressLetters = "abcdefABCDEF0123456789:.";

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535 && text[0] != '0';
}

bool only(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

Result<Relay> parse_relay(const Json& json) {
  JsonReader in(json, "relay");
  Relay relay{in.text("host", kMaxHost), in.optional_text("ca", kMaxCa)};
  if (in.ok() && !is_host(relay.host)) in.fail("host", "is not name:port");
  TILLSYN_CHECK(in.finish());
  return relay;
}

}  // namespace

bool is_host(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return false;
  const std::string_view name = text.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) return only(name.substr(1, name.size() - 2), kAddressLetters);
  return only(name, kNameLetters);
}

Result<std::vector<Relay>> parse_relays(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_array() || json->empty() || json->size() > kMaxRelays) {
    return malformed("relays", "not a list of 1 to 16 relays");
  }
  std::vector<Relay> relays;
  for (const Json& item : *json) {
    auto relay = parse_relay(item);
    if (!relay) return malformed("relays", relay.error().message);
    relays.push_back(std::move(relay).value());
  }
  return relays;
}

void RelayChoice::set(std::vector<Relay> relays) {
  const std::optional<Relay> in_use = current() ? std::optional(*current()) : std::nullopt;
  relays_ = std::move(relays);
  const auto kept = in_use ? std::find(relays_.begin(), relays_.end(), *in_use) : relays_.end();
  index_ = kept == relays_.end() ? 0 : static_cast<std::size_t>(kept - relays_.begin());
}

void RelayChoice::succeeded() {
  if (!trouble_.empty()) spdlog::info("relay {} answers again", current() ? current()->host : "");
  trouble_.clear();
  backoff_.succeeded();
}

Milliseconds RelayChoice::failed(const Error& error) {
  if (trouble_ != error.reason) {
    spdlog::warn("relay {}: {}: {}", current() ? current()->host : "", error.reason, error.message);
  }
  trouble_ = error.reason;
  if (!relays_.empty()) index_ = (index_ + 1) % relays_.size();
  return backoff_.failed();
}

}  // namespace tillsyn::link
