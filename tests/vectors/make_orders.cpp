// Writes orders.json: orders with the verdict that PROTOCOL.md demands, for every implementation to run. The verdicts
// are written here by hand, not taken from the code; the keys are fixed, so that the file changes only when this
// program does.
#include <iostream>

#include "common/crypto/hash.h"
#include "common/orders/bindings.h"
#include "common/orders/device_documents.h"
#include "tests/fakes/order_maker.h"

using namespace tillsyn;
using namespace tillsyn::orders;
using fakes::Home;
using fakes::OrderMaker;
using fakes::Staff;

namespace {

std::string trust_envelope(const std::string& payload, TrustKind kind, std::initializer_list<const char*> keys) {
  TrustEnvelope out{payload, {}};
  for (const char* key : keys) add_signature(out, kind, fakes::ed25519_key(key));
  return format_trust_envelope(out);
}

class Vectors {
 public:
  Json made() {
    add_base();
    add_accepted();
    add_people();
    add_tokens();
    add_times();
    add_forms();
    add_versions();
    add_relations();
    add_bundles();
    add_trust();
    add_heads();
    add_documents();
    add_bindings();
    return out_;
  }

 private:
  // ---- what every case starts from ----

  void add_base() {
    out_["about"] = "Made by make_orders.cpp; see tests/vectors/README.md.";
    out_["provider"] = OrderMaker::kProvider;
    out_["now"] = format_instant(maker_.now);
    out_["fleet_root"] = format_fleet_root(maker_.fleet_root);
    out_["root_list"] = maker_.root_list_envelope();
    out_["bundles"] = {{"usual", maker_.bundle_envelope()}};
    out_["held"] = Json::array();
    for (const Order& order : maker_.staff_grants()) out_["held"].push_back(order.text);
    for (const Order& order : home_) out_["held"].push_back(order.text);
    out_["cases"] = Json::array();
  }

  void expect(const char* verdict, const char* name, const std::string& order) {
    expect(verdict, name, order, Json::object());
  }

  // `more`: members "now", "bundle", "held" (how many of the held orders stand), "put" (orders that stand besides).
  void expect(const std::string& verdict, const char* name, const std::string& order, const Json& more) {
    const auto blank = verdict.find(' ');
    Json item = {{"name", name},
                 {"order", order},
                 {"verdict", verdict.substr(0, blank)},
                 {"reason", blank == std::string::npos ? Json() : Json(verdict.substr(blank + 1))}};
    item.update(more);
    out_["cases"].push_back(std::move(item));
  }

  std::string text(Body body, const std::vector<const Staff*>& signers, std::int64_t version = 1,
                   std::optional<Hash> replaces = std::nullopt) const {
    return maker_.order(std::move(body), signers, version, replaces).text;
  }

  // ---- bodies ----

  View view() const {
    return maker_.view(place_, fakes::p256_key("viewer").public_key(), fakes::bytes32("challenge"), head_);
  }
  Outcome completed() const {
    return {OutcomeKind::kCompleted,
            place_.resident,
            place_.group,
            {"w1", *civil::parse_date("2026-11-22")},
            fakes::bytes32("answer"),
            note_hash(fakes::bytes32("note salt"), "Sover lugnt"),
            {}};
  }
  Consent withdrawal() const { return {place_.resident, place_.home, place_.group, std::nullopt}; }
  Pause pause(std::chrono::seconds length) const {
    return {place_.resident, place_.home, place_.group, maker_.now + length, "hospital"};
  }
  Release release() const { return {place_.hub, place_.resident, place_.home, place_.group, "moves"}; }
  View test_view() const {
    View out = view();
    out.is_test = true;
    return out;
  }
  Grant grant_of(const char* name) const { return maker_.grant_of({maker_.issuers[0].url(), name}, Role::kOperator); }
  ScheduleOrder schedule() const { return OrderMaker::schedule(place_); }

  // ---- cases ----

  void add_accepted() {
    expect("accepted", "a view", text(view(), {&olle_}));
    expect("accepted", "an outcome", text(completed(), {&olle_}));
    expect("accepted", "a grant", text(grant_of("nina"), {&mia_, &rut_}));
    expect("accepted", "a schedule that replaces another", text(schedule(), {&pia_, &per_}, 2, home_[4].hash));
    expect("accepted", "a schedule with a care manager as the second",
           text(schedule(), {&pia_, &carin_}, 2, home_[4].hash));
    expect("accepted", "a withdrawal, whatever its version", text(withdrawal(), {&carin_}, 9));
    expect("accepted", "an order that is held already", home_[3].text);
    expect("accepted", "a pause of 72 hours", text(pause(std::chrono::hours(72)), {&pia_}));
    expect("accepted", "a pause of 30 days by two", text(pause(std::chrono::days(30)), {&carin_, &pia_}));
    expect("accepted", "a release", text(release(), {&inga_, &carin_}, 1));
    expect("accepted", "a test-view", text(test_view(), {&inga_}));
    expect("accepted", "a login at the other issuer, ES256", text(view(), {&elsewhere_}),
           {{"put", {maker_.grant("olle", Role::kOperator, {"north"}, 1).text}}});
  }

  void add_people() {
    expect("refused wrong_role", "a planner views", text(view(), {&pia_}));
    expect("refused wrong_role", "roles in the wrong order", text(grant_of("nina"), {&rut_, &mia_}));
    expect("refused not_two_people", "a schedule by one", text(schedule(), {&pia_}, 2, home_[4].hash));
    const auto over = std::chrono::hours(72) + std::chrono::seconds(1);
    expect("refused not_two_people", "a pause over 72 hours by one", text(pause(over), {&pia_}));
    expect("refused not_two_people", "a pause over 72 hours by one person twice", text(pause(over), {&pia_, &pia_}));
    expect("refused wrong_role", "a pause over 72 hours with an operator", text(pause(over), {&pia_, &olle_}));
    expect("refused wrong_role", "a short pause by two", text(pause(std::chrono::hours(1)), {&pia_, &carin_}));
    expect("refused not_two_people", "a release by the installer alone", text(release(), {&inga_}, 2));
    expect("refused wrong_role", "an operator tests", text(test_view(), {&olle_}));
    expect("refused wrong_role", "an installer views", text(view(), {&inga_}));
    const Staff mia_too = maker_.login("mia", Role::kRightsAdmin);
    expect("refused not_two_people", "a grant by one person twice", text(grant_of("nina"), {&mia_, &mia_too}));
    const Staff mia_elsewhere = maker_.login("mia", Role::kRightsAdmin, 1);
    expect("refused not_two_people", "a grant by one person under two issuers",
           text(grant_of("nina"), {&mia_, &mia_elsewhere}));
    const Staff nina = maker_.login("nina", Role::kOperator);
    expect("waiting no_grant", "nobody has granted it", text(view(), {&nina}));
    expect("waiting no_grant", "a grant under another issuer", text(view(), {&elsewhere_}));
    expect("refused group_not_in_scope", "a grant for another group", text(view(), {&nina}),
           {{"put", {maker_.grant("nina", Role::kOperator, {"south"}).text}}});
    auto expired = grant_of("nina");
    expired.rights[0].to = maker_.now;
    expect("refused grant_expired", "a grant that has run out", text(view(), {&nina}),
           {{"put", {text(expired, {&mia_, &rut_})}}});
    expect("refused person_revoked", "a revoke in the slot", text(view(), {&olle_}),
           {{"put", {text(Revoke{olle_.person, maker_.now, "left"}, {&rut_}, 5)}}});
  }

  void add_tokens() {
    const auto with = [&](const char* claim, const Json& value) {
      Staff olle = maker_.login("olle", Role::kOperator);
      olle.claims[claim] = value;
      maker_.renew_token(olle);
      return text(view(), {&olle});
    };
    expect("accepted", "the audience as an array of just it", with("aud", Json::array({"tillsyn"})));
    expect("refused wrong_audience", "a second audience", with("aud", Json::array({"tillsyn", "other"})));
    expect("refused wrong_audience", "another authorized party", with("azp", "other"));
    expect("refused acr_too_low", "a weak login", with("acr", "http://id.sambi.se/loa/loa2"));
    expect("refused nonce_mismatch", "another nonce", with("nonce", "x"));
    expect("refused person_mismatch", "another person", with("sub", "pia"));
    expect("refused unknown_issuer", "another issuer", with("iss", "https://evil.example"));
    expect("refused bad_id_token", "auth_time as text", with("auth_time", "1795378500"));
    const auto headed = [&](const Json& header) {
      Staff olle = maker_.login("olle", Role::kOperator);
      olle.id_token = maker_.issuers[0].sign(olle.claims, header);
      return text(view(), {&olle});
    };
    expect("refused bad_id_token", "alg none", headed({{"alg", "none"}}));
    expect("refused bad_id_token", "alg HS256", headed({{"alg", "HS256"}}));
    expect("refused bad_id_token", "crit", headed({{"crit", Json::array({"exp"})}}));
    expect("waiting unknown_kid", "a key nobody knows", headed({{"kid", "rsa-2"}}));
    Order swapped = maker_.order(view(), {&olle_});
    swapped.signatures[0].sig[9] ^= 4;
    expect("refused bad_signature", "one bit of the signature", format_order(swapped.payload_text, swapped.signatures));
    const std::string payload = format_payload(maker_.payload(schedule(), {&pia_, &per_}, 2, home_[4].hash));
    expect("refused person_mismatch", "swapped signatures", maker_.sign(payload, {&per_, &pia_}));
  }

  void add_times() {
    const auto at = [&](std::chrono::seconds after) { return Json{{"now", format_instant(maker_.now + after)}}; };
    const std::string act = text(view(), {&olle_});
    expect("accepted", "twelve hours after login", act, at(std::chrono::hours(12) - std::chrono::seconds(60)));
    expect("refused auth_too_old", "a second later", act, at(std::chrono::hours(12) - std::chrono::seconds(59)));
    expect("refused auth_in_future", "a clock two minutes behind", act, at(std::chrono::seconds(-121)));
    const std::string standing = text(withdrawal(), {&carin_}, 2, home_[3].hash);
    expect("accepted", "ten hours after signing", standing, at(std::chrono::hours(10)));
    expect("accepted", "what closes, however late", standing, at(std::chrono::hours(100)));
    const std::string device = text(OrderMaker::device(device_key_.public_key()), {&tore_});
    expect("waiting late", "later than ten hours", device, at(std::chrono::hours(10) + std::chrono::seconds(1)));
    expect("refused auth_in_future", "signed later than now", standing, at(std::chrono::seconds(-301)));
    expect("waiting bundle_expired", "after the bundle", standing, at(std::chrono::days(7)));
    expect("waiting root_list_expired", "after the root list", standing, at(std::chrono::days(300)));
  }

  void add_forms() {
    const auto changed = [&](const std::function<void(Json&)>& change) {
      Json payload = *parse_json(format_payload(maker_.payload(view(), {&olle_})));
      change(payload);
      return maker_.sign(canonical_json(payload), {&olle_});
    };
    const std::string payload = format_payload(maker_.payload(view(), {&olle_}));
    expect("waiting unknown_format", "a newer format", changed([](Json& p) { p = {{"format", 2}, {"x", 1}}; }));
    expect("refused type_not_supported", "an unknown type", changed([](Json& p) { p["type"] = "look"; }));
    const auto paused_for = [&](std::chrono::seconds length) {
      return maker_.sign(format_payload(maker_.payload(pause(length), {&pia_, &carin_})), {&pia_, &carin_});
    };
    expect("refused malformed", "a pause over 30 days", paused_for(std::chrono::days(30) + std::chrono::seconds(1)));
    expect("refused malformed", "a pause that ends when it is signed", paused_for(std::chrono::seconds(0)));
    expect("refused malformed", "a member too many", changed([](Json& p) { p["x"] = 1; }));
    expect("refused malformed", "a member too few", changed([](Json& p) { p.erase("head"); }));
    expect("refused malformed", "a member twice", maker_.sign("{\"type\":\"view\"," + payload.substr(1), {&olle_}));
    expect("refused malformed", "base64url with padding",
           changed([](Json& p) { p["head"] = p["head"].get<std::string>() + "="; }));
    expect("refused malformed", "an extra signature", maker_.sign(payload, {&olle_, &pia_}));
    expect("refused malformed", "no signature", maker_.sign(payload, {}));
    expect("refused wrong_provider", "another provider", changed([](Json& p) { p["provider"] = "other"; }));
    auto device = OrderMaker::device(device_key_.public_key());
    device.hub = fakes::p256_key("other").public_key().thumbprint_text();
    expect("refused wrong_device_key", "another hub's key", text(device, {&tore_}));
  }

  void add_versions() {
    const Hash& held = home_[4].hash;
    expect("waiting version_gap", "two versions on", text(schedule(), {&pia_, &per_}, 3, held));
    expect("refused slot_taken", "two orders for one slot", text(schedule(), {&pia_, &carin_}));
    expect("refused wrong_predecessor", "replaces another",
           text(schedule(), {&pia_, &per_}, 2, fakes::bytes32("other")));
    expect("refused superseded", "older than what is held", text(schedule(), {&pia_, &carin_}),
           {{"put", {text(schedule(), {&pia_, &per_}, 2, held)}}});
    expect("refused slot_taken", "a second withdrawal of one version", text(withdrawal(), {&carl_}, 9),
           {{"put", {text(withdrawal(), {&carin_}, 9)}}});
  }

  void add_relations() {
    Home other = place_;
    other.home = fakes::random_id("other home");
    expect("refused wrong_home", "a schedule for another home",
           text(OrderMaker::schedule(other), {&pia_, &per_}, 2, home_[4].hash));
    auto wide = schedule();
    wide.schedule.windows[0].window.length = std::chrono::minutes(61);
    expect("refused beyond_consent", "more minutes than consented to", text(wide, {&pia_, &per_}, 2, home_[4].hash));
    auto early = schedule();
    early.schedule.windows[0].window.start = std::chrono::minutes(20 * 60 + 59);
    expect("refused beyond_consent", "before the permitted hours", text(early, {&pia_, &per_}, 2, home_[4].hash));
    const std::size_t grants = maker_.staff_grants().size();
    expect("waiting no_consent", "a schedule before the consent", home_[4].text, {{"held", grants}});
    expect("waiting no_device", "an assignment before the device", home_[1].text, {{"held", grants}});
    expect("waiting no_assignment", "an acceptance before the assignment", home_[2].text, {{"held", grants + 1}});
    const Staff tore = maker_.login("tore", Role::kInstaller);
    const std::string installer = maker_.grant("tore", Role::kInstaller).text;
    expect("refused not_two_people", "an assignment by the technician",
           text(OrderMaker::assignment(place_), {&tore}, 2, home_[1].hash), {{"put", {next_grant(installer)}}});
    auto hall = view();
    hall.camera = "hall";
    expect("refused wrong_camera", "a camera that is not assigned", text(hall, {&olle_}));
    auto stranger = view();
    stranger.resident = fakes::random_id("stranger");
    expect("refused wrong_resident", "a resident of another hub", text(stranger, {&olle_}));
    auto south = view();
    south.group = "south";
    expect("refused group_not_in_scope", "a group that is not the resident's", text(south, {&olle_}));
  }

  // The same grant as the second in its slot.
  std::string next_grant(const std::string& first) const {
    const Order order = *parse_order(first);
    const Grant body = std::get<Grant>(order.payload.body);
    for (const Order& held : maker_.staff_grants()) {
      if (slot_of(held.payload.body) == slot_of(order.payload.body))
        return maker_.successor(held, body, {&mia_, &rut_}).text;
    }
    return first;
  }

  void add_bundles() {
    const auto variant = [&](const char* name, const std::function<void(OrderMaker&)>& change) {
      OrderMaker changed(maker_.now);
      ++changed.bundle.version.counter;
      change(changed);
      out_["bundles"][name] = changed.bundle_envelope();
      return Json{{"bundle", name}};
    };
    const std::string act = text(view(), {&olle_});
    expect("refused revoked_key", "the issuer's key is revoked", act, variant("key revoked", [](OrderMaker& m) {
             m.bundle.revoked_keys.push_back({m.issuers[0].url(), m.issuers[0].kid()});
           }));
    expect("refused retired_key", "the issuer's key was retired before the login", act,
           variant("key retired",
                   [](OrderMaker& m) { m.bundle.issuers[0].keys[0].not_after = m.now - std::chrono::minutes(1); }));
    expect("refused person_revoked", "the person is revoked", act, variant("person revoked", [&](OrderMaker& m) {
             m.bundle.revoked_persons.push_back({olle_.person, m.now});
           }));
    expect("refused hub_revoked", "the hub is revoked", act,
           variant("hub revoked", [&](OrderMaker& m) { m.bundle.revoked_hubs.push_back(place_.hub); }));
    auto newer = view();
    ++newer.bundle.counter;
    expect("waiting bundle_older", "the view names a newer bundle", text(newer, {&olle_}));
  }

  // Root lists and bundles on their own.
  void add_trust() {
    out_["trust"] = Json::array();
    const auto add = [&](const char* name, const char* kind, const std::string& envelope, const Json& reason) {
      out_["trust"].push_back({{"name", name}, {"kind", kind}, {"envelope", envelope}, {"reason", reason}});
    };
    const std::string list = format_root_list(maker_.root_list);
    const std::string bundle = format_bundle(maker_.bundle);
    add("two of three", "root-list", trust_envelope(list, TrustKind::kRootList, {"root 2", "root 3"}), Json());
    add("one of three", "root-list", trust_envelope(list, TrustKind::kRootList, {"root 2"}), "bad_signature");
    add("one and a stranger", "root-list", trust_envelope(list, TrustKind::kRootList, {"root 2", "x"}),
        "bad_signature");
    add("signed as a bundle", "root-list", trust_envelope(list, TrustKind::kBundle, {"root 1", "root 2"}),
        "bad_signature");
    add("signed", "bundle", trust_envelope(bundle, TrustKind::kBundle, {"bundle"}), Json());
    add("signed by the root", "bundle", trust_envelope(bundle, TrustKind::kBundle, {"root 1"}), "bad_signature");
    add("signed as a root list", "bundle", trust_envelope(bundle, TrustKind::kRootList, {"bundle"}), "bad_signature");
    OrderMaker ahead(maker_.now);
    ++ahead.bundle.version.root_list_version;
    add("under a newer root list", "bundle", ahead.bundle_envelope(), "root_list_older");
    OrderMaker longer(maker_.now);
    longer.bundle.expires_at += std::chrono::seconds(1);
    add("longer than seven days", "bundle", longer.bundle_envelope(), "malformed");
  }

  void add_heads() {
    out_["heads"] = Json::array();
    const std::size_t grants = maker_.staff_grants().size();
    for (std::size_t count = 0; count <= home_.size(); ++count) {
      const OrderBook book = OrderMaker::book_of({{home_.begin(), home_.begin() + static_cast<std::ptrdiff_t>(count)}});
      out_["heads"].push_back({{"held", grants + count},
                               {"hub", place_.hub},
                               {"resident", place_.resident},
                               {"slots", slots_json(book.slots(place_.hub, place_.resident))},
                               {"head", to_base64url(book.head(place_.hub, place_.resident))}});
    }
    out_["homes_root"] = to_base64url(homes_root(OrderMaker::book_of({home_}).homes()));
  }

  void add_documents() {
    out_["device_key"] = device_key_.public_key().to_jwk();
    out_["documents"] = Json::array();
    const auto add = [&](const char* name, DeviceKind kind, const std::string& payload, const std::string& envelope,
                         const Json& reason) {
      out_["documents"].push_back({{"name", name},
                                   {"kind", device_kind_name(kind)},
                                   {"envelope", envelope},
                                   {"hash", to_base64url(document_hash(kind, payload))},
                                   {"reason", reason}});
    };
    const std::string sign = format(Countersign{place_.hub, home_[1].hash, maker_.now});
    add("countersign", DeviceKind::kCountersign, sign, seal(DeviceKind::kCountersign, sign, device_key_), Json());
    add("under another key", DeviceKind::kCountersign, sign,
        seal(DeviceKind::kCountersign, sign, fakes::p256_key("other")), "bad_signature");
    add("as another kind", DeviceKind::kCountersign, sign, seal(DeviceKind::kEvent, sign, device_key_),
        "bad_signature");
    const std::string receipt = format(Receipt{place_.hub,
                                               home_[1].hash,
                                               Verdict::Kind::kWaiting,
                                               "not_countersigned",
                                               head_,
                                               OrderMaker::book_of({home_}).slots(place_.hub, place_.resident),
                                               {},
                                               maker_.now});
    add("receipt", DeviceKind::kReceipt, receipt, seal(DeviceKind::kReceipt, receipt, device_key_), Json());
    Answer answer;
    answer.hub = place_.hub;
    answer.order = maker_.order(view(), {&olle_}).hash;
    answer.resident = place_.resident;
    answer.camera = "bedroom";
    answer.viewer_key = view().viewer_key.point();
    answer.reason = "outside_window";
    answer.mono = 5000;
    answer.utc_ms = 1795378500000;
    answer.clock_trusted = true;
    answer.head = head_;
    answer.bundle = maker_.bundle.version;
    answer.next_ms = 1795383000000;
    const std::string closed = format(answer);
    add("closed answer", DeviceKind::kAnswer, closed, seal(DeviceKind::kAnswer, closed, device_key_), Json());
  }

  void add_bindings() {
    const auto salt = fakes::bytes32("salt");
    const auto& key = olle_.key.public_key();
    out_["bindings"] = {
        {"salt", to_base64url(salt)},
        {"key", key.to_jwk()},
        {"nonce", staff_nonce(key.thumbprint(), salt)},
        {"note", {{"text", "Sover lugnt, åt höger"}, {"hash", to_base64url(note_hash(salt, "Sover lugnt, åt höger"))}}},
        {"name",
         {{"name", "Åsa \"Ek\""},
          {"address", "Storgatan 1"},
          {"hash", to_base64url(name_hash(salt, "Åsa \"Ek\"", "Storgatan 1"))}}},
        {"person", {{"issuer", olle_.person.issuer}, {"person", "olle"}, {"slot", person_slot(olle_.person)}}},
        {"session",
         {{"host", "relay.example:443"},
          {"challenge", to_base64url(salt)},
          {"bytes", to_base64url(session_bytes("relay.example:443", salt))}}},
    };
  }

  OrderMaker maker_{*parse_instant("2026-11-22T20:15:00Z")};
  crypto::P256PrivateKey device_key_ = fakes::p256_key("device");
  Home place_{device_key_.public_key().thumbprint_text()};
  std::vector<Order> home_ = maker_.home_orders(place_, device_key_.public_key());
  Hash head_ = OrderMaker::book_of({home_}).head(place_.hub, place_.resident);
  Staff mia_ = maker_.login("mia", Role::kManager);
  Staff rut_ = maker_.login("rut", Role::kRightsAdmin);
  Staff olle_ = maker_.login("olle", Role::kOperator);
  Staff elsewhere_ = maker_.login("olle", Role::kOperator, 1);
  Staff pia_ = maker_.login("pia", Role::kPlanner);
  Staff per_ = maker_.login("per", Role::kPlanner);
  Staff carin_ = maker_.login("carin", Role::kCareManager);
  Staff carl_ = maker_.login("carl", Role::kCareManager);
  Staff inga_ = maker_.login("inga", Role::kInstaller);
  Staff tore_ = maker_.login("tore", Role::kTechnician);
  Json out_;
};

}  // namespace

int main() { std::cout << Vectors().made().dump(1) << "\n"; }
