#include "tests/fakes/order_maker.h"

#include <cstdlib>

#include "common/crypto/hash.h"
#include "common/ledger/checkpoint.h"
#include "common/ledger/tree.h"
#include "common/orders/bindings.h"

namespace tillsyn::fakes {
namespace {

using orders::Role;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* kZone = "Europe/Stockholm";

std::int64_t unix_seconds(Instant time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// A test's own mistake ends the test.
template <typename T>
T must(Result<T> result) {
  if (!result.ok()) std::abort();
  return std::move(*result);
}

orders::Person person(const TestIssuer& issuer, std::string_view name) { return {issuer.url(), std::string(name)}; }

std::shared_ptr<const civil::Zone> zone() { return must(civil::Zone::load(kZone)); }

civil::Schedule daily(std::string id, minutes start, minutes length) {
  civil::Schedule out;
  out.timezone = kZone;
  out.windows.push_back({{std::move(id), start, length}, 0x7f});
  out.zone = zone();
  return out;
}

orders::ConsentTerms terms(Instant now) {
  const auto today = zone()->date_at(now);
  orders::ConsentTerms out;
  out.decision = {today - days(10), std::nullopt};
  out.consent = {today - days(10), today + days(365)};
  out.informed_by = "carin";
  out.informed_how = "at home, with an interpreter";
  out.permitted = {hours(21), hours(10)};
  out.supervisions_per_day = 3;
  out.max_minutes_per_day = 60;
  out.name_hash = orders::name_hash(bytes32("name salt"), "Astrid Ek", "Storgatan 1");
  out.timezone = kZone;
  out.zone = zone();
  return out;
}

}  // namespace

ByteArray<32> bytes32(std::string_view name) { return crypto::sha256(view_of("test bytes " + std::string(name))); }

crypto::P256PrivateKey p256_key(std::string_view name) {
  return must(crypto::P256PrivateKey::from_scalar(bytes32(name)));
}

crypto::Ed25519PrivateKey ed25519_key(std::string_view name) {
  return must(crypto::Ed25519PrivateKey::from_seed(bytes32(name)));
}

std::string random_id(std::string_view name) { return to_base64url(ByteView(bytes32(name)).first(16)); }

OrderMaker::OrderMaker(Instant at) : now(at) {
  issuers.emplace_back("https://id.solna.example", TestIssuer::Algorithm::kRs256, "rsa-1");
  issuers.emplace_back("https://id2.solna.example", TestIssuer::Algorithm::kEs256, "ec-1");
  fleet_root.threshold = 2;
  for (const char* name : {"root 1", "root 2", "root 3"}) fleet_root.keys.push_back(ed25519_key(name).public_key());

  orders::Provider provider{kProvider,
                            "Solna hemtjänst",
                            {},
                            {},
                            {"log.example/solna", ed25519_key("ledger").public_key()},
                            {"https://app.solna.example"}};
  for (const TestIssuer& issuer : issuers) {
    root_list.issuers.push_back(issuer.listed());
    provider.issuers.push_back(issuer.url());
    bundle.issuers.push_back({issuer.url(), {issuer.key(now - days(30))}});
  }
  provider.granters = {{person(issuers[0], "mia"), Role::kManager}, {person(issuers[0], "rut"), Role::kRightsAdmin}};
  root_list.version = 3;
  root_list.issued_at = now - days(30);
  root_list.expires_at = now + days(300);
  root_list.providers.push_back(std::move(provider));
  root_list.relays.push_back({"relay.example:443", std::nullopt});
  root_list.bundle_keys.push_back(ed25519_key("bundle").public_key());

  bundle.version = {root_list.version, 12};
  bundle.issued_at = now - minutes(5);
  bundle.expires_at = now - minutes(5) + days(7);
  const ledger::Checkpoint empty{root_list.providers[0].ledger_key.name, 0, ledger::empty_root()};
  const std::string note = std::move(ledger::sign_checkpoint(empty, ed25519_key("ledger"))).value();
  bundle.providers.push_back({kProvider, 1, note, {}, orders::homes_root({})});
}

std::string OrderMaker::root_list_envelope() const {
  orders::TrustEnvelope out{orders::format_root_list(root_list), {}};
  orders::add_signature(out, orders::TrustKind::kRootList, ed25519_key("root 1"));
  orders::add_signature(out, orders::TrustKind::kRootList, ed25519_key("root 2"));
  return orders::format_trust_envelope(out);
}

std::string OrderMaker::bundle_envelope() const {
  orders::TrustEnvelope out{orders::format_bundle(bundle), {}};
  orders::add_signature(out, orders::TrustKind::kBundle, ed25519_key("bundle"));
  return orders::format_trust_envelope(out);
}

Staff OrderMaker::login(std::string_view name, Role role, std::size_t issuer) const {
  const std::string login_name = std::string(name) + " at " + issuers.at(issuer).url();
  Staff out{person(issuers[issuer], name), role, p256_key(login_name), bytes32(login_name + " salt"), {}, {}};
  const auto at = unix_seconds(now - minutes(1));
  out.claims = {
      {"iss", out.person.issuer}, {"sub", out.person.value},
      {"aud", "tillsyn"},         {"acr", "http://id.sambi.se/loa/loa3"},
      {"auth_time", at},          {"iat", at},
      {"exp", at + 300},          {"nonce", orders::staff_nonce(out.key.public_key().thumbprint(), out.salt)}};
  renew_token(out);
  return out;
}

void OrderMaker::renew_token(Staff& staff) const {
  for (const TestIssuer& issuer : issuers) {
    if (issuer.url() == staff.person.issuer) staff.id_token = issuer.sign(staff.claims);
  }
}

orders::Payload OrderMaker::payload(orders::Body body, const std::vector<const Staff*>& signers, std::int64_t version,
                                    std::optional<orders::Hash> replaces) const {
  orders::Common common{kProvider, {}, now, {}, std::nullopt};
  std::string seed = orders::type_name(body);
  for (const Staff* staff : signers) {
    common.signers.push_back(staff->signer());
    seed += " " + staff->person.value;
  }
  if (orders::is_standing(body)) common.standing = orders::Standing{version, replaces};
  common.id = random_id(seed + " " + std::to_string(version));
  return {std::move(common), std::move(body)};
}

std::string OrderMaker::sign(std::string_view payload_text, const std::vector<const Staff*>& signers) const {
  const Bytes message = signed_bytes("order", view_of(payload_text));
  std::vector<orders::StaffSignature> signatures;
  for (const Staff* staff : signers) {
    signatures.push_back({staff->key.sign(message), staff->key.public_key(), staff->salt, staff->id_token});
  }
  return orders::format_order(payload_text, signatures);
}

orders::Order OrderMaker::order(const orders::Payload& payload, const std::vector<const Staff*>& signers) const {
  return must(orders::parse_order(sign(orders::format_payload(payload), signers)));
}

orders::Order OrderMaker::order(orders::Body body, const std::vector<const Staff*>& signers, std::int64_t version,
                                std::optional<orders::Hash> replaces) const {
  return order(payload(std::move(body), signers, version, replaces), signers);
}

orders::Order OrderMaker::successor(const orders::Order& before, orders::Body body,
                                    const std::vector<const Staff*>& signers) const {
  return order(std::move(body), signers, before.version() + 1, before.hash);
}

orders::Grant OrderMaker::grant_of(const orders::Person& who, Role role, std::vector<std::string> groups) const {
  return {who, {{role, std::move(groups), now - days(1), now + days(30)}}, "employed"};
}

orders::Order OrderMaker::grant(std::string_view name, Role role, std::vector<std::string> groups,
                                std::size_t issuer) const {
  const Staff mia = login("mia", Role::kManager);
  const Staff rut = login("rut", Role::kRightsAdmin);
  return order(grant_of(person(issuers.at(issuer), name), role, std::move(groups)), {&mia, &rut});
}

std::vector<orders::Order> OrderMaker::staff_grants() const {
  std::vector<orders::Order> out;
  out.push_back(grant("olle", Role::kOperator));
  out.push_back(grant("pia", Role::kPlanner));
  out.push_back(grant("per", Role::kPlanner));
  out.push_back(grant("carin", Role::kCareManager));
  out.push_back(grant("carl", Role::kCareManager));
  out.push_back(grant("inga", Role::kInstaller));
  out.push_back(grant("tore", Role::kTechnician));
  out.push_back(grant("lo", Role::kLogReviewer));
  out.push_back(grant("sys", Role::kSystemAdmin));
  return out;
}

orders::Device OrderMaker::device(const crypto::P256PublicKey& device_key) {
  return {device_key.thumbprint_text(), device_key, "bench"};
}

orders::Assignment OrderMaker::assignment(const Home& home) {
  return {home.hub, home.resident, home.home, home.group, "K7TR", {{"bedroom", "ACDEFH"}}};
}

orders::Acceptance OrderMaker::acceptance(const Home& home, const orders::Hash& assignment) {
  return {home.hub,   home.resident, home.home,
          home.group, assignment,    {"picture covers the bed", "light is on while open"}};
}

orders::Consent OrderMaker::consent(const Home& home) const {
  return {home.resident, home.home, home.group, terms(now)};
}

orders::Consent OrderMaker::wide_consent(const Home& home) const {
  orders::Consent out = consent(home);
  out.terms->permitted = {minutes(0), hours(24)};
  out.terms->max_minutes_per_day = 720;
  return out;
}

orders::ScheduleOrder OrderMaker::schedule(const Home& home) {
  return {home.resident, home.home, home.group, daily("w1", hours(22) + minutes(30), minutes(15))};
}

orders::ScheduleOrder OrderMaker::open_schedule(const Home& home, minutes length) const {
  const auto today = zone()->date_at(now);
  auto start = std::chrono::floor<minutes>(now - zone()->instant_of(today, minutes(0)));
  start += std::chrono::floor<minutes>(now - zone()->instant_of(today, start));  // on a day when the clocks change
  return {home.resident, home.home, home.group, daily("now", start, length)};
}

orders::View OrderMaker::view(const Home& home, const crypto::P256PublicKey& viewer_key, const ByteArray<32>& challenge,
                              const orders::Hash& head) const {
  return {home.hub, home.resident, home.group, "bedroom", viewer_key, challenge, bundle.version, head, {}};
}

std::vector<orders::Order> OrderMaker::home_orders(const Home& home, const crypto::P256PublicKey& device_key) const {
  const Staff tore = login("tore", Role::kTechnician);
  const Staff inga = login("inga", Role::kInstaller);
  const Staff carin = login("carin", Role::kCareManager);
  const Staff carl = login("carl", Role::kCareManager);
  const Staff pia = login("pia", Role::kPlanner);
  const Staff per = login("per", Role::kPlanner);
  std::vector<orders::Order> out;
  out.push_back(order(device(device_key), {&tore}));
  out.push_back(order(assignment(home), {&inga}));
  out.push_back(order(acceptance(home, out.back().hash), {&inga}));
  out.push_back(order(consent(home), {&carin, &carl}));
  out.push_back(order(schedule(home), {&pia, &per}));
  return out;
}

orders::OrderBook OrderMaker::book_of(const std::vector<std::vector<orders::Order>>& lists) {
  orders::OrderBook out;
  for (const auto& list : lists) {
    for (const orders::Order& one : list) {
      out.put(one);
      out.countersigned(one.hash);
    }
  }
  return out;
}

}  // namespace tillsyn::fakes
