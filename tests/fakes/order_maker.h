#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/p256.h"
#include "common/orders/bundle.h"
#include "common/orders/order.h"
#include "common/orders/order_book.h"
#include "common/orders/root_list.h"
#include "common/orders/trust_envelope.h"

namespace tillsyn::fakes {

// Keys, salts and ids that follow from a name, so that a run can be repeated to the byte. For tests only: whoever reads
// this file knows them all.
crypto::P256PrivateKey p256_key(std::string_view name);
crypto::Ed25519PrivateKey ed25519_key(std::string_view name);
ByteArray<32> bytes32(std::string_view name);
std::string random_id(std::string_view name);  // 16 bytes in base64url

// An identity provider: one key, and ID tokens signed by it for real.
class TestIssuer {
 public:
  enum class Algorithm { kEs256, kRs256 };

  // `key_name`: names the P-256 key; the RSA key is always the same one.
  TestIssuer(std::string url, Algorithm algorithm, std::string kid, std::string key_name = "issuer");

  const std::string& url() const { return url_; }
  const std::string& kid() const { return kid_; }

  orders::Issuer listed() const;                    // its entry in a root list, every role allowed
  orders::IssuerKey key(Instant not_before) const;  // its key in a bundle, current
  Json jwk() const;

  // A compact JWS over the claims; `header` replaces members of {"alg","kid","typ"}.
  std::string sign(const Json& claims, const Json& header = Json::object()) const;

 private:
  Bytes signature_over(std::string_view input) const;

  std::string url_;
  Algorithm algorithm_;
  std::string kid_;
  std::string key_name_;
};

// A person of the staff in one role, logged in in one browser: key, salt and an ID token whose nonce binds them.
struct Staff {
  orders::Person person;
  orders::Role role = orders::Role::kOperator;
  crypto::P256PrivateKey key;
  ByteArray<32> salt{};
  Json claims;  // of the ID token; change them and sign again to make a bad one
  std::string id_token;

  orders::Signer signer() const { return {person, role}; }
};

// Where a hub serves, for bodies that name it.
struct Home {
  std::string hub;
  std::string resident = random_id("resident");
  std::string home = random_id("home");
  std::string group = "north";
};

// A municipality with one provider, its identity provider(s), staff and orders, all of it signed as in real life.
//
// `root_list`, `bundle`, `fleet_root` may be changed before they are used; nothing is cached. Person names used by
// `staff_grants`: olle operator, pia and per planners, carin and carl care managers, inga installer, tore technician,
// lo log reviewer, sys system administrator, granted by mia (manager) and rut (rights administrator) of the root list.
class OrderMaker {
 public:
  // Everything is dated around `now`: root list and bundle current, logins a minute old. `relay_host` and the key that
  // signs the provider's ledger may be those of a real relay under test.
  explicit OrderMaker(Instant now);

  static constexpr const char* kProvider = "solna";

  Instant now;
  std::vector<TestIssuer> issuers;  // [0] RS256 https://id.solna.example, [1] ES256 https://id2.solna.example
  orders::FleetRoot fleet_root;     // 2 of 3
  orders::RootList root_list;
  orders::Bundle bundle;

  // Signed envelopes of the two as they are now.
  std::string root_list_envelope() const;
  std::string bundle_envelope() const;

  // Logs somebody in, a minute before `now`.
  Staff login(std::string_view name, orders::Role role, std::size_t issuer = 0) const;
  // Renews the ID token after `staff.claims` was changed.
  void renew_token(Staff& staff) const;

  // The payload of an order by these signers, dated `now`, version 1 in an empty slot unless told.
  orders::Payload payload(orders::Body body, const std::vector<const Staff*>& signers, std::int64_t version = 1,
                          std::optional<orders::Hash> replaces = std::nullopt) const;

  // The order text over a payload text, signed by each.
  std::string sign(std::string_view payload_text, const std::vector<const Staff*>& signers) const;
  orders::Order order(const orders::Payload& payload, const std::vector<const Staff*>& signers) const;
  orders::Order order(orders::Body body, const std::vector<const Staff*>& signers, std::int64_t version = 1,
                      std::optional<orders::Hash> replaces = std::nullopt) const;
  // The next version of what `before` is.
  orders::Order successor(const orders::Order& before, orders::Body body,
                          const std::vector<const Staff*>& signers) const;

  // A grant of one role in `groups` for 30 days from yesterday.
  orders::Grant grant_of(const orders::Person& person, orders::Role role,
                         std::vector<std::string> groups = {"*"}) const;
  orders::Order grant(std::string_view name, orders::Role role, std::vector<std::string> groups = {"*"},
                      std::size_t issuer = 0) const;
  std::vector<orders::Order> staff_grants() const;

  // Bodies for one home, each valid as it stands.
  static orders::Device device(const crypto::P256PublicKey& device_key);
  static orders::Assignment assignment(const Home& home);
  static orders::Acceptance acceptance(const Home& home, const orders::Hash& assignment);
  orders::Consent consent(const Home& home) const;          // 21:00-07:00, 3 supervisions, 60 minutes, Europe/Stockholm
  static orders::ScheduleOrder schedule(const Home& home);  // every day 22:30 for 15 minutes
  // A schedule whose one window, id "now", is open at `now`; the consent for it permits all day, 720 minutes.
  orders::ScheduleOrder open_schedule(const Home& home, std::chrono::minutes length) const;
  orders::Consent wide_consent(const Home& home) const;
  orders::View view(const Home& home, const crypto::P256PublicKey& viewer_key, const ByteArray<32>& challenge,
                    const orders::Hash& head) const;

  // Device, assignment, acceptance, consent, schedule: all that a home needs, in the order in which they are signed.
  std::vector<orders::Order> home_orders(const Home& home, const crypto::P256PublicKey& device_key) const;

  // A book that holds all these orders, assignments countersigned.
  static orders::OrderBook book_of(const std::vector<std::vector<orders::Order>>& lists);
};

}  // namespace tillsyn::fakes
