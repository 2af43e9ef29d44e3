#include "relay/http/request_head.h"

#include <algorithm>
#include <optional>

#include "relay/http/router.h"

namespace tillsyn::http {

namespace {

using boost::beast::http::field;
using Head = boost::beast::http::request<boost::beast::http::empty_body>;

template <typename Name>
Result<std::optional<std::string>> single(const Head& head, Name name) {
  const auto count = head.count(name);
  if (count > 1) return malformed("malformed", "a header field that may stand once stands twice");
  if (count == 0) return std::optional<std::string>();
  return std::optional<std::string>(std::string(head[name]));
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::optional<std::string> bearer_of(const std::optional<std::string>& authorization) {
  static constexpr std::string_view kScheme = "bearer ";
  if (!authorization || lower_case(authorization->substr(0, kScheme.size())) != kScheme) return std::nullopt;
  return authorization->substr(kScheme.size());
}

}  // namespace

Result<RequestHead> read_head(const Head& head) {
  RequestHead out;
  if (head.version() != 11) return malformed("malformed", "only HTTP/1.1 is spoken here");
  const std::string_view target(head.target().data(), head.target().size());
  if (!target.starts_with('/')) return malformed("target", "the address must begin with /");
  const auto question = std::min(target.find('?'), target.size());
  out.encoded_path = std::string(target.substr(0, question));
  TILLSYN_TRY(path, percent_decode(out.encoded_path));
  TILLSYN_TRY(query, parse_query(target.substr(std::min(question + 1, target.size()))));
  TILLSYN_TRY(host, single(head, field::host));
  TILLSYN_TRY(origin, single(head, field::origin));
  TILLSYN_TRY(authorization, single(head, field::authorization));
  TILLSYN_TRY(key, single(head, std::string_view("Idempotency-Key")));
  TILLSYN_TRY(if_match, single(head, field::if_match));
  if (!host) return malformed("malformed", "the Host field is missing");
  ApiRequest& request = out.request;
  request.method = std::string(head.method_string());
  request.path = std::move(path);
  request.query = std::move(query);
  request.host = lower_case(*host);
  request.origin = std::move(origin);
  request.bearer = bearer_of(authorization);
  request.idempotency_key = std::move(key);
  request.if_match = std::move(if_match);
  return out;
}

}  // namespace tillsyn::http
