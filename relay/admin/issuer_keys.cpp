#include "relay/admin/issuer_keys.h"

#include <algorithm>
#include <array>

namespace tillsyn::admin {
namespace {

using orders::IssuerKey;

constexpr std::array kPublicMembers = {"kty", "kid", "crv", "x", "y", "n", "e", "alg", "use"};
constexpr std::array kPrivateMembers = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
constexpr std::size_t kMaxKeys = 64;  // of an issuer in a bundle

bool is_private(const Json& jwk) {
  return std::any_of(kPrivateMembers.begin(), kPrivateMembers.end(),
                     [&](const char* name) { return jwk.contains(name); });
}

bool is_for_signatures(const Json& jwk) {
  const auto type = jwk.find("kty");
  const bool known = type != jwk.end() && (*type == "RSA" || *type == "EC");
  return known && (!jwk.contains("use") || jwk["use"] == "sig");
}

std::string kid_of(const Json& jwk) {
  const auto kid = jwk.find("kid");
  return kid != jwk.end() && kid->is_string() ? kid->get<std::string>() : std::string("(no kid)");
}

Json public_part(const Json& jwk) {
  Json out = Json::object();
  for (const char* name : kPublicMembers)
    if (jwk.contains(name)) out[name] = jwk[name];
  return out;
}

template <typename Keys>
auto find_kid(Keys& keys, const std::string& kid) {
  return std::find_if(keys.begin(), keys.end(), [&](const IssuerKey& key) { return key.kid == kid; });
}

bool is_revoked(const std::vector<orders::RevokedKey>& revoked, const std::string& issuer, const std::string& kid) {
  return std::any_of(revoked.begin(), revoked.end(),
                     [&](const auto& key) { return key.issuer == issuer && key.kid == kid; });
}

// The merge of one issuer's keys, step by step.
class Merge {
 public:
  Merge(const orders::Issuer& issuer, const orders::IssuerKeys* previous,
        const std::vector<orders::RevokedKey>& revoked, Instant now, Report& report)
      : issuer_(issuer),
        revoked_(revoked),
        now_(now),
        report_(report),
        is_first_(previous == nullptr || previous->keys.empty()) {
    if (previous != nullptr) keys_ = previous->keys;
  }

  void show(const Json& jwk) {
    const std::string kid = kid_of(jwk);
    const auto held = find_kid(keys_, kid);
    if (held != keys_.end()) return show_again(*held, jwk);
    const Instant from = is_first_ ? now_ : now_ + issuer_.new_key_delay;
    auto key = orders::issuer_key(jwk, from, std::nullopt);
    if (!key) return alarm("shows a key " + kid + " that cannot be used: " + key.error().message);
    if (!is_first_)
      alarm("shows a new key " + kid + ", which counts from " + format_instant(from) +
            ": ask the provider whether it is theirs, and revoke it if not");
    keys_.push_back(std::move(*key));
    shown_.push_back(kid);
  }

  std::vector<IssuerKey> finish() {
    for (IssuerKey& key : keys_)
      if (!is_shown(key.kid) && !key.not_after) end(key);
    std::erase_if(keys_, [](const IssuerKey& key) { return key.not_after && *key.not_after <= key.not_before; });
    while (keys_.size() > kMaxKeys && drop_longest_retired()) {
    }
    return std::move(keys_);
  }

 private:
  void show_again(IssuerKey& held, const Json& jwk) {
    const auto shown = orders::issuer_key(jwk, held.not_before, std::nullopt);
    if (!shown || shown->key.thumbprint() != held.key.thumbprint())
      return alarm("shows another key under the kid " + held.kid + " than before; it is not taken");
    shown_.push_back(held.kid);
    if (!held.not_after) return;
    if (is_revoked(revoked_, issuer_.issuer, held.kid)) return alarm("shows the revoked key " + held.kid + " again");
    held.not_after.reset();
    report_.notes.push_back(issuer_.issuer + " shows its key " + held.kid + " again; it counts at once");
  }

  void end(IssuerKey& key) {
    key.not_after = now_;
    report_.notes.push_back(issuer_.issuer + " no longer shows its key " + key.kid + "; it counts until now");
  }

  bool drop_longest_retired() {
    const auto end_of = [](const IssuerKey& key) { return key.not_after.value_or(Instant::max()); };
    const auto oldest = std::min_element(keys_.begin(), keys_.end(),
                                         [&](const IssuerKey& a, const IssuerKey& b) { return end_of(a) < end_of(b); });
    if (!oldest->not_after) return false;
    report_.notes.push_back(issuer_.issuer + ": there is no more room for its key " + oldest->kid + ", retired at " +
                            format_instant(*oldest->not_after));
    keys_.erase(oldest);
    return true;
  }

  bool is_shown(const std::string& kid) const { return std::find(shown_.begin(), shown_.end(), kid) != shown_.end(); }
  void alarm(const std::string& what) { report_.alarms.push_back(issuer_.issuer + " " + what); }

  const orders::Issuer& issuer_;
  const std::vector<orders::RevokedKey>& revoked_;
  Instant now_;
  Report& report_;
  bool is_first_;
  std::vector<IssuerKey> keys_;
  std::vector<std::string> shown_;
};

}  // namespace

Result<std::vector<Json>> read_jwks(std::string_view text, const std::string& issuer, Report& report) {
  TILLSYN_TRY(value, parse_foreign_json(text));
  const bool is_set = value.is_object() && value.contains("keys") && value["keys"].is_array();
  if (!is_set || value["keys"].size() > kMaxKeys) return malformed("jwks", "what " + issuer + " shows is no key set");
  std::vector<Json> out;
  for (const Json& jwk : value["keys"]) {
    if (!jwk.is_object() || !is_for_signatures(jwk)) continue;
    if (is_private(jwk))
      report.alarms.push_back(issuer + " shows the private part of its key " + kid_of(jwk) +
                              "; it is not taken, tell them");
    else if (const Json shown = public_part(jwk); !orders::issuer_key(shown, Instant(), std::nullopt))
      report.alarms.push_back(issuer + " shows a key " + kid_of(jwk) + " that cannot be used here");
    else
      out.push_back(shown);
  }
  if (out.empty()) return malformed("jwks", issuer + " shows no key for signatures");
  return out;
}

std::vector<IssuerKey> next_keys(const orders::Issuer& issuer, const std::vector<Json>& jwks,
                                 const orders::IssuerKeys* previous, const std::vector<orders::RevokedKey>& revoked,
                                 Instant now, Report& report) {
  Merge merge(issuer, previous, revoked, now, report);
  for (const Json& jwk : jwks) merge.show(jwk);
  return merge.finish();
}

}  // namespace tillsyn::admin
