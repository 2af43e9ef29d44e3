#include "common/orders/root_list.h"

#include <algorithm>

#include "common/orders/codec.h"
#include "common/orders/refusals.h"

namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxIssuers = 16;
constexpr std::size_t kMaxProviders = 64;
constexpr std::size_t kMaxRelays = 16;
constexpr std::size_t kMaxBundleKeys = 8;
constexpr std::size_t kMaxGranters = 64;
constexpr std::size_t kMaxFew = 16;
constexpr std::size_t kMaxNameBytes = 200;
constexpr std::size_t kMaxPemBytes = 32 * 1024;
constexpr std::int64_t kMaxAuthAgeSeconds = 7 * 86400;
constexpr std::int64_t kMaxKeyDelaySeconds = 30 * 86400;
constexpr JsonLimits kLimits{.max_bytes = kMaxRootListBytes, .max_depth = 6};

bool is_short_text(std::string_view text) { return !text.empty() && text.size() <= kMaxNameBytes; }
bool is_role(std::string_view text) { return role_named(text).has_value(); }

std::vector<Role> read_roles(JsonReader& in) {
  std::vector<Role> out;
  for (const auto& name : read_texts(in, "roles", 1, kMaxFew, is_role)) out.push_back(*role_named(name));
  return out;
}

Issuer read_issuer(JsonReader& in) {
  Issuer out;
  out.issuer = read_name(in, "issuer", is_https_url);
  out.client_id = read_filled_text(in, "client_id", kMaxNameBytes);
  out.authorization_endpoint = read_name(in, "authorization_endpoint", is_https_url);
  out.token_endpoint = read_name(in, "token_endpoint", is_https_url);
  out.jwks_uri = read_name(in, "jwks_uri", is_https_url);
  out.ca = in.optional_text("ca", kMaxPemBytes);
  out.acr = read_texts(in, "acr", 1, kMaxFew, is_short_text);
  out.person_claim = read_filled_text(in, "person_claim", kMaxNameBytes);
  out.max_auth_age = std::chrono::seconds(in.integer("max_auth_age", 1, kMaxAuthAgeSeconds));
  out.new_key_delay = std::chrono::seconds(in.integer("new_key_delay", 0, kMaxKeyDelaySeconds));
  out.roles = read_roles(in);
  return out;
}

Json issuer_json(const Issuer& issuer) {
  Json roles = Json::array();
  for (const Role role : issuer.roles) roles.push_back(role_name(role));
  return {{"issuer", issuer.issuer},
          {"client_id", issuer.client_id},
          {"authorization_endpoint", issuer.authorization_endpoint},
          {"token_endpoint", issuer.token_endpoint},
          {"jwks_uri", issuer.jwks_uri},
          {"ca", or_null(issuer.ca)},
          {"acr", issuer.acr},
          {"person_claim", issuer.person_claim},
          {"max_auth_age", issuer.max_auth_age.count()},
          {"new_key_delay", issuer.new_key_delay.count()},
          {"roles", std::move(roles)}};
}

Granter read_granter(JsonReader& in) {
  Person person = read_person(in);
  const Role role = read_role(in, "role");
  if (role != Role::kManager && role != Role::kRightsAdmin) in.fail("role", "is not manager or rights_admin");
  return {std::move(person), role};
}

std::optional<ledger::VerifierKey> read_ledger_key(JsonReader& in) {
  std::string origin = read_filled_text(in, "ledger_origin", ledger::kMaxKeyNameBytes);
  const auto key = crypto::Ed25519PublicKey::from_bytes(in.bytes("ledger_key", 32));
  if (!key) {
    in.fail("ledger_key", "is no Ed25519 key");
    return std::nullopt;
  }
  ledger::VerifierKey out{std::move(origin), *key};
  if (!ledger::parse_vkey(ledger::format_vkey(out)).ok()) in.fail("ledger_origin", "is not a name for a log");
  return out;
}

std::optional<Provider> read_provider(JsonReader& in) {
  std::string id = read_name(in, "id", is_slug);
  std::string name = read_filled_text(in, "name", kMaxNameBytes);
  auto issuers = read_texts(in, "issuers", 1, kMaxIssuers, is_https_url);
  auto granters = read_list(in, "granters", 0, kMaxGranters, read_granter);
  auto ledger_key = read_ledger_key(in);
  auto app_origins = read_texts(in, "app_origins", 1, kMaxFew, is_https_origin);
  if (!ledger_key) return std::nullopt;
  return Provider{std::move(id),       std::move(name),        std::move(issuers),
                  std::move(granters), std::move(*ledger_key), std::move(app_origins)};
}

Json provider_json(const Provider& provider) {
  Json granters = Json::array();
  for (const Granter& granter : provider.granters) {
    granters.push_back(person_json(granter.person));
    granters.back()["role"] = role_name(granter.role);
  }
  return {{"id", provider.id},
          {"name", provider.name},
          {"issuers", provider.issuers},
          {"granters", std::move(granters)},
          {"ledger_origin", provider.ledger_key.name},
          {"ledger_key", hash_json(provider.ledger_key.public_key.bytes())},
          {"app_origins", provider.app_origins}};
}

bool is_host_with_port(std::string_view text) { return is_host(text) && text.find(':') != std::string_view::npos; }

Relay read_relay(JsonReader& in) {
  return {read_name(in, "host", is_host_with_port), in.optional_text("ca", kMaxPemBytes)};
}

bool is_on_relay(std::string_view origin, const RootList& list) {
  std::string host(origin.substr(std::string_view("https://").size()));
  if (host.find(':') == std::string::npos) host += ":443";
  return std::any_of(list.relays.begin(), list.relays.end(), [&](const Relay& relay) { return relay.host == host; });
}

bool is_sound(const Granter& granter, const Provider& provider, const RootList& list) {
  const Issuer* issuer = list.issuer(granter.person.issuer);
  return issuer != nullptr && provider.has_issuer(issuer->issuer) && issuer->may_have(granter.role);
}

void check_provider(JsonReader& in, const Provider& provider, const RootList& list) {
  for (const auto& url : provider.issuers) {
    if (list.issuer(url) == nullptr) in.fail("providers", "name an issuer that is not listed");
  }
  for (const auto& granter : provider.granters) {
    if (!is_sound(granter, provider, list)) in.fail("providers", "have a granter whose issuer is not for that role");
  }
  for (const auto& origin : provider.app_origins) {
    if (is_on_relay(origin, list)) in.fail("providers", "have the staff app on a relay");
  }
}

void check_sense(JsonReader& in, const RootList& list) {
  if (list.expires_at <= list.issued_at || list.expires_at - list.issued_at > kMaxRootListLife) {
    in.fail("expires_at", "is not within 400 days after issued_at");
  }
  if (has_twins(list.issuers, &Issuer::issuer)) in.fail("issuers", "lists one twice");
  if (has_twins(list.providers, &Provider::id)) in.fail("providers", "lists one twice");
  if (has_twins(list.relays, &Relay::host)) in.fail("relays", "lists one twice");
  for (const Provider& provider : list.providers) check_provider(in, provider, list);
}

void read_floors(JsonReader& in, RootList& out) {
  read_object(in, "floors", [&](JsonReader& inner) {
    out.order_floor = inner.integer("order", 1, kMaxInteger);
    out.bundle_floor = inner.integer("bundle", 1, kMaxInteger);
    return true;
  });
}

}  // namespace

bool Issuer::may_have(Role role) const { return std::find(roles.begin(), roles.end(), role) != roles.end(); }

bool Provider::has_issuer(std::string_view issuer) const {
  return std::find(issuers.begin(), issuers.end(), issuer) != issuers.end();
}

const Issuer* RootList::issuer(std::string_view url) const {
  const auto found =
      std::find_if(issuers.begin(), issuers.end(), [&](const Issuer& item) { return item.issuer == url; });
  return found == issuers.end() ? nullptr : &*found;
}

const Provider* RootList::provider(std::string_view id) const {
  const auto found =
      std::find_if(providers.begin(), providers.end(), [&](const Provider& item) { return item.id == id; });
  return found == providers.end() ? nullptr : &*found;
}

Result<RootList> parse_root_list(std::string_view payload) {
  TILLSYN_TRY(json, parse_format_one(payload, kLimits));
  JsonReader in(json, "root list");
  in.integer("format", 1, 1);
  if (in.text("type", 16) != "root-list") in.fail("type", "is not root-list");
  RootList out;
  out.version = in.integer("version", 1, kMaxInteger);
  out.issued_at = read_time(in, "issued_at");
  out.expires_at = read_time(in, "expires_at");
  out.issuers = read_list(in, "issuers", 0, kMaxIssuers, read_issuer);
  for (auto& provider : read_list(in, "providers", 0, kMaxProviders, read_provider)) {
    if (provider) out.providers.push_back(std::move(*provider));
  }
  out.relays = read_list(in, "relays", 0, kMaxRelays, read_relay);
  out.bundle_keys = read_ed25519_keys(in, "bundle_keys", kMaxBundleKeys);
  read_floors(in, out);
  if (in.ok()) check_sense(in, out);
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format_root_list(const RootList& list) {
  Json out = {{"format", 1},
              {"type", "root-list"},
              {"version", list.version},
              {"issued_at", time_json(list.issued_at)},
              {"expires_at", time_json(list.expires_at)},
              {"issuers", Json::array()},
              {"providers", Json::array()},
              {"relays", Json::array()},
              {"bundle_keys", ed25519_keys_json(list.bundle_keys)},
              {"floors", {{"order", list.order_floor}, {"bundle", list.bundle_floor}}}};
  for (const auto& issuer : list.issuers) out["issuers"].push_back(issuer_json(issuer));
  for (const auto& provider : list.providers) out["providers"].push_back(provider_json(provider));
  for (const auto& relay : list.relays) out["relays"].push_back({{"host", relay.host}, {"ca", or_null(relay.ca)}});
  return canonical_json(out);
}

Result<RootList> open_root_list(std::string_view envelope, const FleetRoot& root) {
  TILLSYN_TRY(opened, parse_trust_envelope(envelope, kMaxRootListBytes));
  if (count_signers(opened, TrustKind::kRootList, root.keys) < static_cast<std::size_t>(root.threshold)) {
    return refuse("bad_signature", "too few keys of the fleet root have signed the root list");
  }
  return parse_root_list(opened.payload);
}

Result<void> check_successor(const RootList* held, const RootList& next) {
  if (held == nullptr || next.version > held->version) return {};
  if (next.version < held->version) return refuse("root_list_older");
  if (format_root_list(*held) != format_root_list(next)) return refuse("slot_taken", "two root lists of one version");
  return {};
}

Result<void> check_current(const RootList& list, Instant now) {
  if (now >= list.expires_at) return refuse("root_list_expired");
  return {};
}

}  // namespace tillsyn::orders
