#include "common/orders/names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tillsyn::orders {
namespace {

constexpr std::array<const char*, 9> kRoleNames = {"operator",   "planner",      "care_manager",
                                                   "manager",    "rights_admin", "installer",
                                                   "technician", "log_reviewer", "system_admin"};
constexpr std::size_t kMaxNameBytes = 64;

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool all_of(std::string_view text, std::size_t max, bool (*allowed)(char)) {
  return !text.empty() && text.size() <= max && std::all_of(text.begin(), text.end(), allowed);
}

bool is_base64url_of(std::string_view text, std::size_t size) {
  const auto bytes = from_base64url(text);
  return bytes.ok() && bytes->size() == size;
}

bool is_code(std::string_view text, std::size_t letters) {
  return text.size() == letters && text.find_first_not_of(kCodeAlphabet) == std::string_view::npos;
}

bool is_port(std::string_view text) {
  const bool digits = all_of(text, 5, [](char c) { return c >= '0' && c <= '9'; });
  return digits && text[0] != '0' && std::stoi(std::string(text)) <= 65535;
}

std::string read_checked(JsonReader& in, const char* name, std::string text, bool (*check)(std::string_view)) {
  if (in.ok() && !check(text)) in.fail(name, "is not of the form it must have");
  return in.ok() ? std::move(text) : std::string();
}

}  // namespace

bool is_slug(std::string_view text) {
  return all_of(text, 32, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_random_id(std::string_view text) { return is_base64url_of(text, 16); }
bool is_hub(std::string_view text) { return is_base64url_of(text, 32); }

bool is_window_id(std::string_view text) {
  return all_of(text, 32,
                [](char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
}

bool is_identifier(std::string_view text) { return is_code(text, kIdentifierLetters); }
bool is_short_code(std::string_view text) { return is_code(text, kShortCodeLetters); }

bool is_https_url(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme)) return false;
  return all_of(text.substr(kScheme.size()), kMaxUrlBytes - kScheme.size(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("\"'<>\\^`{|}#").find(c) == std::string_view::npos;
  });
}

bool is_host(std::string_view text) {
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  return all_of(text.substr(0, colon), 253, [](char c) { return is_lower_or_digit(c) || c == '-' || c == '.'; });
}

bool is_https_origin(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  return text.starts_with(kScheme) && is_host(text.substr(kScheme.size()));
}

bool same_person(const Person& a, const Person& b) { return a.value == b.value; }

const char* role_name(Role role) { return kRoleNames.at(static_cast<std::size_t>(role)); }

std::optional<Role> role_named(std::string_view name) {
  const auto found = std::find(kRoleNames.begin(), kRoleNames.end(), name);
  if (found == kRoleNames.end()) return std::nullopt;
  return static_cast<Role>(found - kRoleNames.begin());
}

bool scope_holds(const std::vector<std::string>& groups, std::string_view group) {
  return std::any_of(groups.begin(), groups.end(), [&](const auto& item) { return item == "*" || item == group; });
}

std::string read_name(JsonReader& in, const char* name, bool (*check)(std::string_view)) {
  return read_checked(in, name, in.text(name, kMaxUrlBytes), check);
}

std::optional<std::string> read_optional_name(JsonReader& in, const char* name, bool (*check)(std::string_view)) {
  auto text = in.optional_text(name, kMaxNameBytes);
  if (!text) return std::nullopt;
  return read_checked(in, name, std::move(*text), check);
}

Person read_person(JsonReader& in) {
  Person out{read_name(in, "issuer", is_https_url), in.text("person", kMaxPersonBytes)};
  if (in.ok() && out.value.empty()) in.fail("person", "is empty");
  return out;
}

Role read_role(JsonReader& in, const char* name) {
  const auto role = role_named(in.text(name, kMaxNameBytes));
  if (!role) in.fail(name, "is not a role");
  return role.value_or(Role::kOperator);
}

Hash read_hash(JsonReader& in, const char* name) {
  Hash out{};
  const Bytes bytes = in.bytes(name, out.size());
  if (bytes.size() == out.size()) std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

std::optional<Hash> read_optional_hash(JsonReader& in, const char* name) {
  const auto bytes = in.optional_bytes(name, std::tuple_size_v<Hash>);
  if (!bytes) return std::nullopt;
  Hash out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

}  // namespace tillsyn::orders
