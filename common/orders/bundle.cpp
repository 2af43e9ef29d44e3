#include "common/orders/bundle.h"

#include <algorithm>
#include <array>
#include <set>

#include "common/ledger/tree.h"
#include "common/orders/codec.h"
#include "common/orders/refusals.h"

namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxIssuers = 16;
constexpr std::size_t kMaxKeys = 64;
constexpr std::size_t kMaxRevoked = 1000;
constexpr std::size_t kMaxProviders = 64;
constexpr std::size_t kMaxGroups = 1000;
constexpr std::array<std::string_view, 8> kJwkMembers = {"kty", "kid", "crv", "x", "y", "n", "e", "alg"};
constexpr JsonLimits kLimits{.max_bytes = kMaxBundleBytes, .max_depth = 6};

bool is_jwk_member(std::string_view name) {
  return name == "use" || std::find(kJwkMembers.begin(), kJwkMembers.end(), name) != kJwkMembers.end();
}

// No `d`, `p`, `k` and the like, and no certificates either: what is handed to hubs is exactly what they use.
bool is_bare(const Json& jwk) {
  for (auto it = jwk.begin(); it != jwk.end(); ++it) {
    if (!is_jwk_member(it.key()) || !it->is_string()) return false;
  }
  return jwk.is_object();
}

std::optional<IssuerKey> read_key(JsonReader& in) {
  const Json& jwk = in.object("jwk");
  const Instant not_before = read_time(in, "not_before");
  std::optional<Instant> not_after;
  if (in.has("not_after") && !in.any("not_after").is_null()) not_after = read_time(in, "not_after");
  if (!in.has("not_after")) in.fail("not_after", "is missing");
  if (!in.ok()) return std::nullopt;
  auto key = issuer_key(jwk, not_before, not_after);
  if (key) return *key;
  in.fail("jwk", "is wrong: " + key.error().message);
  return std::nullopt;
}

Json key_json(const IssuerKey& key) {
  return {
      {"jwk", key.jwk}, {"not_before", time_json(key.not_before)}, {"not_after", or_null(key.not_after, time_json)}};
}

IssuerKeys read_issuer(JsonReader& in) {
  IssuerKeys out{read_name(in, "issuer", is_https_url), {}};
  std::set<std::string> kids;
  for (auto& key : read_list(in, "keys", 0, kMaxKeys, read_key)) {
    if (!key) break;
    if (!kids.insert(key->kid).second) in.fail("keys", "have a kid twice");
    out.keys.push_back(std::move(*key));
  }
  return out;
}

RevokedPerson read_revoked_person(JsonReader& in) {
  Person person = read_person(in);
  return {std::move(person), read_time(in, "from")};
}

RevokedKey read_revoked_key(JsonReader& in) {
  return {read_name(in, "issuer", is_https_url), read_filled_text(in, "kid", crypto::kMaxKidBytes)};
}

void read_revoked(JsonReader& in, Bundle& out) {
  read_object(in, "revoked", [&](JsonReader& inner) {
    out.revoked_persons = read_list(inner, "persons", 0, kMaxRevoked, read_revoked_person);
    out.revoked_keys = read_list(inner, "keys", 0, kMaxRevoked, read_revoked_key);
    out.revoked_hubs = read_texts(inner, "hubs", 0, kMaxRevoked, is_hub);
    return true;
  });
}

Json revoked_json(const Bundle& bundle) {
  Json out = {{"persons", Json::array()}, {"keys", Json::array()}, {"hubs", bundle.revoked_hubs}};
  for (const auto& revoked : bundle.revoked_persons) {
    out["persons"].push_back(person_json(revoked.person));
    out["persons"].back()["from"] = time_json(revoked.from);
  }
  for (const auto& revoked : bundle.revoked_keys) {
    out["keys"].push_back({{"issuer", revoked.issuer}, {"kid", revoked.kid}});
  }
  return out;
}

GroupCount read_group_count(JsonReader& in) {
  return {read_name(in, "group", is_slug), in.integer("count", 0, kMaxInteger)};
}

ProviderState read_provider(JsonReader& in) {
  ProviderState out;
  out.id = read_name(in, "id", is_slug);
  out.epoch = in.integer("epoch", 1, kMaxInteger);
  out.checkpoint = in.optional_text("checkpoint", ledger::kMaxNoteBytes);
  out.hubs = read_list(in, "hubs", 0, kMaxGroups, read_group_count);
  out.homes_root = read_hash(in, "homes_root");
  return out;
}

Json provider_json(const ProviderState& provider) {
  Json hubs = Json::array();
  for (const auto& item : provider.hubs) hubs.push_back({{"group", item.group}, {"count", item.count}});
  return {{"id", provider.id},
          {"epoch", provider.epoch},
          {"checkpoint", or_null(provider.checkpoint)},
          {"hubs", std::move(hubs)},
          {"homes_root", hash_json(provider.homes_root)}};
}

void check_sense(JsonReader& in, const Bundle& bundle) {
  if (bundle.expires_at <= bundle.issued_at || bundle.expires_at - bundle.issued_at > kMaxBundleLife) {
    in.fail("expires_at", "is not within 7 days after issued_at");
  }
  if (has_twins(bundle.issuers, &IssuerKeys::issuer)) in.fail("issuers", "lists one twice");
  if (has_twins(bundle.providers, &ProviderState::id)) in.fail("providers", "lists one twice");
}

template <typename List, typename Is>
bool has(const List& list, Is is) {
  return std::any_of(list.begin(), list.end(), is);
}

}  // namespace

bool IssuerKey::counts_at(Instant issued_at) const {
  return not_before <= issued_at && (!not_after || issued_at < *not_after);
}

Result<IssuerKey> issuer_key(const Json& jwk, Instant not_before, std::optional<Instant> not_after) {
  if (!is_bare(jwk)) return malformed("malformed", "the key has members that do not belong into a bundle");
  auto key = crypto::VerificationKey::from_jwk(jwk);
  if (!key) return as_malformed(key.error());
  if (!key->kid() || key->kid()->empty()) return malformed("malformed", "the key has no kid");
  std::string kid = *key->kid();
  return IssuerKey{jwk, std::move(*key), std::move(kid), not_before, not_after};
}

const IssuerKey* Bundle::key(std::string_view issuer, std::string_view kid) const {
  for (const IssuerKeys& item : issuers) {
    if (item.issuer != issuer) continue;
    for (const IssuerKey& key : item.keys) {
      if (key.kid == kid) return &key;
    }
  }
  return nullptr;
}

const ProviderState* Bundle::provider(std::string_view id) const {
  const auto found = std::find_if(providers.begin(), providers.end(), [&](const auto& item) { return item.id == id; });
  return found == providers.end() ? nullptr : &*found;
}

bool Bundle::is_key_revoked(std::string_view issuer, std::string_view kid) const {
  return has(revoked_keys, [&](const auto& item) { return item.issuer == issuer && item.kid == kid; });
}

bool Bundle::is_person_revoked(const Person& person, Instant now) const {
  return has(revoked_persons, [&](const auto& item) { return item.person == person && item.from <= now; });
}

bool Bundle::is_hub_revoked(std::string_view hub) const {
  return has(revoked_hubs, [&](const auto& item) { return item == hub; });
}

Result<Bundle> parse_bundle(std::string_view payload) {
  TILLSYN_TRY(json, parse_format_one(payload, kLimits));
  JsonReader in(json, "bundle");
  in.integer("format", 1, 1);
  if (in.text("type", 16) != "bundle") in.fail("type", "is not bundle");
  Bundle out;
  out.version = read_bundle_version(in);
  out.issued_at = read_time(in, "issued_at");
  out.expires_at = read_time(in, "expires_at");
  out.issuers = read_list(in, "issuers", 0, kMaxIssuers, read_issuer);
  read_revoked(in, out);
  out.providers = read_list(in, "providers", 0, kMaxProviders, read_provider);
  out.day_list = read_optional_hash(in, "day_list");
  if (in.ok()) check_sense(in, out);
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format_bundle(const Bundle& bundle) {
  Json out = bundle_version_json(bundle.version);
  out["format"] = 1;
  out["type"] = "bundle";
  out["issued_at"] = time_json(bundle.issued_at);
  out["expires_at"] = time_json(bundle.expires_at);
  out["issuers"] = Json::array();
  for (const auto& issuer : bundle.issuers) {
    Json keys = Json::array();
    for (const auto& key : issuer.keys) keys.push_back(key_json(key));
    out["issuers"].push_back({{"issuer", issuer.issuer}, {"keys", std::move(keys)}});
  }
  out["revoked"] = revoked_json(bundle);
  out["providers"] = Json::array();
  for (const auto& provider : bundle.providers) out["providers"].push_back(provider_json(provider));
  out["day_list"] = or_null(bundle.day_list, hash_json);
  return canonical_json(out);
}

Result<Bundle> open_bundle(std::string_view envelope, const RootList& list) {
  TILLSYN_TRY(opened, parse_trust_envelope(envelope, kMaxBundleBytes));
  if (count_signers(opened, TrustKind::kBundle, list.bundle_keys) == 0) {
    return refuse("bad_signature", "no bundle key of the root list has signed the bundle");
  }
  TILLSYN_TRY(bundle, parse_bundle(opened.payload));
  if (bundle.version.root_list_version > list.version) return wait_for("root_list_older");
  return std::move(bundle);
}

std::optional<BundleVersion> version_in(std::string_view envelope) {
  const auto opened = parse_trust_envelope(envelope, kMaxBundleBytes);
  const auto bundle = opened ? parse_bundle(opened->payload) : Result<Bundle>(opened.error());
  return bundle ? std::optional(bundle->version) : std::nullopt;
}

Result<void> check_successor(const Bundle* held, const Bundle& next) {
  if (held == nullptr || next.version > held->version) return {};
  if (next.version < held->version) return refuse("bundle_older");
  if (format_bundle(*held) != format_bundle(next)) return refuse("slot_taken", "two bundles of one version");
  return {};
}

Result<void> check_current(const Bundle& bundle, Instant now) {
  if (now >= bundle.expires_at) return refuse("bundle_expired");
  return {};
}

std::vector<std::string> home_texts(const std::vector<HomeLeaf>& homes) {
  std::vector<std::string> leaves;
  for (const auto& home : homes) {
    leaves.push_back(canonical_json({{"assignment", hash_json(home.assignment)},
                                     {"group", home.group},
                                     {"head", hash_json(home.head)},
                                     {"hub", home.hub},
                                     {"resident", home.resident}}));
  }
  std::sort(leaves.begin(), leaves.end());
  return leaves;
}

Hash homes_root(const std::vector<HomeLeaf>& homes) {
  ledger::Frontier tree;
  for (const auto& leaf : home_texts(homes)) tree.append(ledger::leaf_hash(view_of(leaf)));
  return tree.root();
}

}  // namespace tillsyn::orders
