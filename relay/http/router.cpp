#include "relay/http/router.h"

#include <algorithm>
#include <optional>

namespace tillsyn::http {

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty() && path.front() == '/') {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_param(const std::string& segment) { return segment.starts_with('{'); }

using Params = std::map<std::string, std::string>;

// The pattern's params in these segments, if they fit it; `literals` counts the segments that fit by name.
std::optional<Params> fit(const Endpoint& endpoint, const std::vector<std::string>& segments, std::size_t& literals) {
  if (endpoint.segments.size() != segments.size()) return std::nullopt;
  Params params;
  literals = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string& pattern = endpoint.segments[i];
    if (!is_param(pattern)) {
      if (pattern != segments[i]) return std::nullopt;
      ++literals;
      continue;
    }
    auto value = percent_decode(segments[i]);
    if (!value.ok() || value->empty()) return std::nullopt;
    params[pattern.substr(1, pattern.size() - 2)] = *value;
  }
  return params;
}

}  // namespace

void Router::add(Route route) {
  auto segments = split(route.pattern);
  Handler handler = route.handler;
  endpoints_.push_back({std::move(route), std::move(handler), std::move(segments)});
}

void Router::add(std::vector<Route> routes) {
  for (auto& route : routes) add(std::move(route));
}

void Router::add_held(Route terms, HeldHandler handler) {
  auto segments = split(terms.pattern);
  endpoints_.push_back({std::move(terms), std::move(handler), std::move(segments)});
}

void Router::add_take_over(Route terms, TakeOverHandler handler) {
  auto segments = split(terms.pattern);
  endpoints_.push_back({std::move(terms), std::move(handler), std::move(segments)});
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  Match match;
  const auto segments = split(path);
  std::size_t best = 0;
  for (const auto& endpoint : endpoints_) {
    std::size_t literals = 0;
    auto params = fit(endpoint, segments, literals);
    if (!params) continue;
    if (match.allowed.find(endpoint.terms.method) == std::string::npos) {
      match.allowed += (match.allowed.empty() ? "" : ", ") + endpoint.terms.method;
    }
    if (endpoint.terms.method != method || (match.endpoint != nullptr && literals <= best)) continue;
    match.endpoint = &endpoint;
    match.params = std::move(*params);
    best = literals;
  }
  return match;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte.ok() || byte->size() != 1)
        return malformed("target", "a % in the address is not followed by two hex digits");
      c = static_cast<char>((*byte)[0]);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return malformed("target", "control character in the address");
    out += c;
  }
  if (!is_valid_utf8(out)) return malformed("target", "the address is not UTF-8");
  return out;
}

Result<std::map<std::string, std::string>> parse_query(std::string_view query) {
  std::map<std::string, std::string> members;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto member = query.substr(0, end);
    const auto equals = std::min(member.find('='), member.size());
    TILLSYN_TRY(name, percent_decode(member.substr(0, equals)));
    TILLSYN_TRY(value, percent_decode(member.substr(std::min(equals + 1, member.size()))));
    if (!members.emplace(name, value).second) return malformed("target", "a member of the query is given twice");
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return members;
}

}  // namespace tillsyn::http
