#include "relay/identity/token_endpoint.h"

#include <algorithm>

#include "common/crypto/jws.h"
#include "common/crypto/random.h"
#include "relay/identity/https.h"
#include "relay/store/key_file.h"

namespace tillsyn::identity {
namespace {

constexpr std::size_t kMaxBody = 8 * 1024;
constexpr std::chrono::minutes kAssertionLife{1};
constexpr const char* kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct TokenRequest {
  std::string issuer;
  std::string code;
  std::string code_verifier;
  std::string redirect_uri;
};

Result<TokenRequest> read_request(const std::string& body) {
  const auto value = parse_json(body, {kMaxBody, 2});
  if (!value) return malformed("malformed", value.error().message);
  JsonReader in(*value, "token request");
  TokenRequest out{in.text("issuer", orders::kMaxUrlBytes), in.text("code", 2048), in.text("code_verifier", 128),
                   in.text("redirect_uri", orders::kMaxUrlBytes)};
  if (const auto read = in.finish(); !read) return malformed("malformed", read.error().message);
  return out;
}

// The redirect lies on an app's own origin, and on one whose provider uses this issuer.
bool may_return_to(const orders::RootList& list, const TokenRequest& request) {
  const auto is_on = [&](const std::string& origin) { return request.redirect_uri.starts_with(origin + "/"); };
  return std::any_of(list.providers.begin(), list.providers.end(), [&](const orders::Provider& provider) {
    return provider.has_issuer(request.issuer) &&
           std::any_of(provider.app_origins.begin(), provider.app_origins.end(), is_on);
  });
}

std::string form_of(const TokenRequest& request, const std::string& client_id, const std::string& assertion) {
  return "grant_type=authorization_code&code=" + form_encode(request.code) +
         "&redirect_uri=" + form_encode(request.redirect_uri) + "&code_verifier=" + form_encode(request.code_verifier) +
         "&client_id=" + form_encode(client_id) + "&client_assertion_type=" + form_encode(kAssertionType) +
         "&client_assertion=" + form_encode(assertion);
}

Result<std::string> id_token_in(const HttpsAnswer& answer) {
  const auto value = parse_foreign_json(answer.body, {kMaxHttpsAnswer, 16});
  if (answer.status >= 500)
    return Error{Code::kUnavailable, "issuer_unreachable", "The identity provider has a fault; try again."};
  if (answer.status != 200) {
    return refused("code_refused", "The identity provider does not accept this login any more: log in anew.");
  }
  if (!value || !value->is_object()) return refused("bad_id_token", "The identity provider's answer cannot be read.");
  const auto token = value->find("id_token");
  if (token == value->end() || !token->is_string() ||
      token->get_ref<const std::string&>().size() > crypto::kMaxJwsBytes) {
    return refused("bad_id_token", "The identity provider gave no ID token.");
  }
  return token->get<std::string>();
}

}  // namespace

void TokenEndpoint::use(std::shared_ptr<const orders::RootList> list) {
  const std::lock_guard lock(mutex_);
  list_ = std::move(list);
}

std::shared_ptr<const orders::RootList> TokenEndpoint::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

std::string TokenEndpoint::assertion(const orders::Issuer& issuer, Instant now) const {
  const auto seconds = [](Instant at) {
    return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  };
  const Json claims = {{"iss", issuer.client_id}, {"sub", issuer.client_id},
                       {"aud", issuer.issuer},    {"jti", to_base64url(crypto::random_array<16>())},
                       {"iat", seconds(now)},     {"exp", seconds(now + kAssertionLife)}};
  return crypto::sign_jws(client_key_, client_key_.public_key().thumbprint_text(), claims);
}

std::string TokenEndpoint::issuer_in(const std::string& body) const {
  const auto request = read_request(body);
  const auto list = this->list();
  return request && list && list->issuer(request->issuer) ? request->issuer : std::string();
}

Result<std::string> TokenEndpoint::exchange(const std::string& body, Instant now) const {
  TILLSYN_TRY(request, read_request(body));
  const auto list = this->list();
  if (!list)
    return Error{Code::kUnavailable, "bundle_missing", "The relay has no root list yet; try again in a while."};
  const orders::Issuer* issuer = list->issuer(request.issuer);
  if (!issuer) return refused("unknown_issuer", "The root list does not name this identity provider.");
  if (!may_return_to(*list, request)) {
    return refused("wrong_redirect", "The login did not return to an app of a provider with this identity provider.");
  }
  const auto answer =
      https(issuer->token_endpoint, issuer->ca, form_of(request, issuer->client_id, assertion(*issuer, now)));
  if (!answer) {
    return Error{Code::kUnavailable, "issuer_unreachable",
                 "The identity provider cannot be reached: " + answer.error().message};
  }
  return id_token_in(*answer);
}

Json TokenEndpoint::client_jwks() const { return store::client_jwks(client_key_); }

}  // namespace tillsyn::identity
