#include "common/orders/proof.h"

#include <chrono>

#include "common/crypto/jws.h"
#include "common/orders/refusals.h"

namespace tillsyn::orders {
namespace {

using std::chrono::seconds;

constexpr seconds kClockSlack{60};
constexpr seconds kMaxAhead{300};
constexpr std::chrono::hours kLateAfter{10};
constexpr std::int64_t kMaxUnixSeconds = 253402300799;  // the last second of the year 9999

Result<Json> claims_in(const std::string& payload) {
  const auto claims = parse_foreign_json(payload, {.max_bytes = crypto::kMaxJwsBytes, .max_depth = 8});
  if (!claims || !claims->is_object()) return refuse("bad_id_token", "the claims are not an object");
  return *claims;
}

std::string text_claim(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Instant> time_claim(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number_integer()) {
    return refuse("bad_id_token", std::string(name) + " is not an integer");
  }
  const auto value = found->get<std::int64_t>();
  if (value < 0 || value > kMaxUnixSeconds) return refuse("bad_id_token", std::string(name) + " is no time");
  return Instant(seconds(value));
}

Result<const IssuerKey*> find_key(const Bundle& bundle, const std::string& issuer, const std::string& kid) {
  if (bundle.is_key_revoked(issuer, kid)) return refuse("revoked_key");
  const IssuerKey* key = bundle.key(issuer, kid);
  if (key == nullptr) return wait_for("unknown_kid");
  return key;
}

Result<Identity> read_identity(const Json& claims, const Issuer& issuer) {
  TILLSYN_TRY(auth_time, time_claim(claims, "auth_time"));
  TILLSYN_TRY(issued_at, time_claim(claims, "iat"));
  if (auth_time > issued_at + kClockSlack) return refuse("bad_id_token", "auth_time is after iat");
  std::string value = text_claim(claims, issuer.person_claim.c_str());
  if (value.empty() || value.size() > kMaxPersonBytes) return refuse("bad_id_token", "the person claim is missing");
  return Identity{{issuer.issuer, std::move(value)}, auth_time, issued_at};
}

bool is_for(const Json& claims, const std::string& client_id) {
  if (claims.contains("azp") && text_claim(claims, "azp") != client_id) return false;
  return claims.contains("aud") && (claims["aud"] == Json(client_id) || claims["aud"] == Json::array({client_id}));
}

Result<void> check_claims(const Json& claims, const Issuer& issuer, std::string_view nonce) {
  if (!is_for(claims, issuer.client_id)) return refuse("wrong_audience");
  const std::string acr = text_claim(claims, "acr");
  if (std::find(issuer.acr.begin(), issuer.acr.end(), acr) == issuer.acr.end()) return refuse("acr_too_low");
  if (text_claim(claims, "nonce") != nonce) return refuse("nonce_mismatch");
  return {};
}

Result<void> check_age(Instant auth_time, const Issuer& issuer, Instant at) {
  if (at - auth_time < -kClockSlack) return refuse("auth_in_future");
  if (at - auth_time > issuer.max_auth_age) return refuse("auth_too_old");
  return {};
}

}  // namespace

Result<Identity> check_id_token(std::string_view id_token, std::string_view nonce, const Provider& provider,
                                const RootList& list, const Bundle& bundle) {
  const auto jws = crypto::CompactJws::parse(id_token);
  if (!jws) return refuse("bad_id_token", jws.error().message);
  TILLSYN_TRY(claims, claims_in(jws->unverified_payload()));
  const Issuer* issuer = list.issuer(text_claim(claims, "iss"));
  if (issuer == nullptr || !provider.has_issuer(issuer->issuer)) return refuse("unknown_issuer");
  TILLSYN_TRY(key, find_key(bundle, issuer->issuer, jws->kid()));
  const auto verified = jws->verify(key->key);
  if (!verified) return refuse("bad_id_token", verified.error().message);
  TILLSYN_TRY(identity, read_identity(claims, *issuer));
  if (!key->counts_at(identity.issued_at)) return refuse("retired_key");
  TILLSYN_CHECK(check_claims(claims, *issuer, nonce));
  return std::move(identity);
}

Result<void> check_fresh(const Identity& identity, const Issuer& issuer, Instant now) {
  return check_age(identity.auth_time, issuer, now);
}

Result<void> check_signed_at(const Identity& identity, const Issuer& issuer, Instant signed_at, Instant now) {
  TILLSYN_CHECK(check_age(identity.auth_time, issuer, signed_at));
  if (signed_at > now + kMaxAhead) return refuse("auth_in_future");
  return {};
}

Result<void> check_in_time(Instant signed_at, Instant now) {
  return now - signed_at > kLateAfter ? Result<void>(wait_for("late")) : Result<void>();
}

}  // namespace tillsyn::orders
