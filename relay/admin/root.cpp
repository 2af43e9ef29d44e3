#include "relay/admin/root.h"

#include <algorithm>
#include <set>

#include "common/base/json.h"
#include "relay/admin/certificates.h"

namespace tillsyn::admin {
namespace {

constexpr std::chrono::days kWarnAhead{60};

Error wrong_spec(const std::string& message) { return refused("root_list", "the spec is no root list: " + message); }

std::string days_text(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::floor<std::chrono::days>(time).count()) + " days";
}

Result<std::string> payload_of(std::string_view spec, std::chrono::days days, Instant now) {
  auto value = parse_json(spec, {.max_bytes = orders::kMaxRootListBytes});
  if (!value) return wrong_spec(value.error().message);
  if (!value->is_object()) return wrong_spec("it is not an object");
  for (const char* name : {"issued_at", "expires_at"})
    if (value->contains(name)) return wrong_spec(std::string(name) + " is set here; leave it out and give --days");
  (*value)["issued_at"] = format_instant(now);
  (*value)["expires_at"] = format_instant(now + days);
  std::string payload = canonical_json(*value);
  if (const auto list = orders::parse_root_list(payload); !list) return wrong_spec(list.error().message);
  return payload;
}

void add_certificates(std::vector<Ending>& out, const std::optional<std::string>& ca, const std::string& whose) {
  if (!ca) return;
  const auto certificates = read_certificates(*ca);
  if (!certificates) out.push_back({"the CA of " + whose + " (" + certificates.error().message + ")", Instant()});
  if (!certificates) return;
  for (const auto& certificate : *certificates)
    out.push_back({"the CA certificate '" + certificate.subject + "' of " + whose, certificate.not_after});
}

std::string people_of(const orders::Provider& provider) {
  std::string out;
  for (const auto& granter : provider.granters)
    out += "    first " + std::string(orders::role_name(granter.role)) + ": " + granter.person.value + " at " +
           granter.person.issuer + "\n";
  return out;
}

std::string describe_issuer(const orders::Issuer& issuer) {
  std::string roles;
  for (const auto role : issuer.roles) roles += " " + std::string(orders::role_name(role));
  std::string out =
      "  issuer " + issuer.issuer + " (client " + issuer.client_id + ", person is '" + issuer.person_claim + "')\n";
  out += "    logins count for " + std::to_string(issuer.max_auth_age.count() / 3600) + " h, new keys wait " +
         std::to_string(issuer.new_key_delay.count() / 3600) + " h, roles:" + roles + "\n";
  for (const auto& acr : issuer.acr) out += "    accepts the assurance " + acr + "\n";
  return out;
}

std::string describe_provider(const orders::Provider& provider) {
  std::string out = "  provider " + provider.id + " (" + provider.name + "), log " + provider.ledger_key.name + "\n";
  for (const auto& origin : provider.app_origins) out += "    staff app at " + origin + "\n";
  return out + people_of(provider);
}

std::string describe_endings(const orders::RootList& list, Instant now) {
  std::string out;
  for (const Ending& ending : endings(list)) {
    if (ending.at >= now + kWarnAhead) continue;
    const bool over = ending.at <= now;
    out += "  " + ending.what + (over ? ": ENDED " : ": ends ") + format_instant(ending.at) +
           (over ? "" : ", in " + days_text(ending.at - now)) + "\n";
  }
  return out.empty() ? "Nothing in it ends within 60 days.\n" : "Ends within 60 days:\n" + out;
}

}  // namespace

Result<std::string> make_fleet_root(std::int64_t threshold, const std::vector<crypto::Ed25519PublicKey>& keys) {
  std::set<ByteArray<32>> different;
  for (const auto& key : keys)
    if (!different.insert(key.bytes()).second)
      return refused("fleet_root", "a key is given twice: each root key counts once");
  std::string out = orders::format_fleet_root({threshold, keys});
  if (const auto read = orders::parse_fleet_root(out); !read)
    return refused("fleet_root",
                   "no fleet root can be made of this: give 1 to 16 keys and a threshold of 1 to as many (" +
                       read.error().message + ")");
  return out;
}

Result<std::string> make_root_list(std::string_view spec, std::chrono::days days,
                                   const std::vector<crypto::Ed25519PrivateKey>& keys, Instant now) {
  if (days.count() < 1 || days > orders::kMaxRootListLife)
    return refused("root_list", "a root list is good for 1 to 400 days: give other --days");
  if (keys.empty()) return refused("root_list", "nobody signs the root list: give --key");
  TILLSYN_TRY(payload, payload_of(spec, days, now));
  orders::TrustEnvelope envelope{std::move(payload), {}};
  for (const auto& key : keys) {
    orders::add_signature(envelope, orders::TrustKind::kRootList, key);
  }
  if (envelope.signatures.size() != keys.size())
    return refused("root_list",
                   "a root key is given twice: each counts once, so give as many different ones as are needed");
  return orders::format_trust_envelope(envelope);
}

std::vector<Ending> endings(const orders::RootList& list) {
  std::vector<Ending> out = {{"the root list itself", list.expires_at}};
  for (const auto& issuer : list.issuers) add_certificates(out, issuer.ca, issuer.issuer);
  for (const auto& relay : list.relays) add_certificates(out, relay.ca, "relay " + relay.host);
  std::stable_sort(out.begin(), out.end(), [](const Ending& a, const Ending& b) { return a.at < b.at; });
  return out;
}

std::string describe(const orders::RootList& list, Instant now) {
  std::string out = "Root list " + std::to_string(list.version) + ", made " + format_instant(list.issued_at) +
                    ", good until " + format_instant(list.expires_at) + (now >= list.expires_at ? " (RUN OUT)" : "") +
                    "\n";
  for (const auto& issuer : list.issuers) out += describe_issuer(issuer);
  for (const auto& provider : list.providers) out += describe_provider(provider);
  for (const auto& relay : list.relays) out += "  relay https://" + relay.host + "\n";
  for (const auto& key : list.bundle_keys) out += "  bundle key " + to_base64url(key.bytes()) + "\n";
  return out + describe_endings(list, now);
}

}  // namespace tillsyn::admin
