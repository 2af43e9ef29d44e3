#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using orders::Role;

namespace {

const Instant kNow = must(parse_instant("2026-11-22T20:15:00Z"));

std::string state(const HubInside& hub) { return hub.inside->desk.state(); }

// A hub with root list, bundle and staff, and the orders of its home not taken yet.
struct Fresh : HubInside {
  Fresh() : HubInside(kNow) {
    must(inside->trust.take_root_list(maker.root_list_envelope(), read()));
    must(inside->trust.take_bundle(maker.bundle_envelope(), read()));
    for (const auto& grant : maker.staff_grants()) REQUIRE(take(grant) == "accepted");
    home_orders = maker.home_orders(home, keys->device_key());
  }

  void hold() {
    inside->desk.presence().held(boot);
    said = must(inside->desk.judge_waiting(read(), boot));
  }

  std::size_t count(ipc::MessageType type) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(said, [&](const Document& document) { return document.type == type; }));
  }
};

struct Settled : HubInside {
  Settled() : HubInside(kNow) { settle(15min); }
};

bool disk_holds(const HubInside& hub, const std::string& text) {
  for (const auto& entry : std::filesystem::directory_iterator(hub.folder.path())) {
    std::FILE* file = std::fopen(entry.path().c_str(), "rb");
    std::string content(std::filesystem::file_size(entry.path()), '\0');
    const auto read = std::fread(content.data(), 1, content.size(), file);
    std::fclose(file);
    if (content.substr(0, read).find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a hub goes from factory to accepted by signed orders alone", "[orders][ENF-5][INS-4]") {
  Fresh hub;
  CHECK(state(hub) == "factory");
  CHECK(hub.take(hub.home_orders[0]) == "accepted");
  CHECK(state(hub) == "enrolled");
  hub.hold();
  CHECK(hub.take(hub.home_orders[1]) == "accepted");
  CHECK(state(hub) == "assigned");
  CHECK(hub.take(hub.home_orders[2]) == "accepted");
  CHECK(state(hub) == "accepted");
  CHECK(hub.take(hub.home_orders[3]) == "accepted");
  CHECK(hub.take(hub.home_orders[4]) == "accepted");
  hub.reopen();
  CHECK(state(hub) == "accepted");
  CHECK(hub.inside->desk.slots().size() == 5);
}

TEST_CASE("an assignment waits for a hand on the button, five seconds, within two minutes", "[orders][INS-3]") {
  Fresh hub;
  REQUIRE(hub.take(hub.home_orders[0]) == "accepted");
  CHECK(hub.take(hub.home_orders[1]) == "waiting no_presence");
  CHECK(hub.count(ipc::MessageType::kCountersign) == 0);
  CHECK(hub.inside->desk.assignment() == nullptr);
  SECTION("held after the order came") {
    hub.hold();
    CHECK(hub.count(ipc::MessageType::kCountersign) == 1);
    CHECK(hub.count(ipc::MessageType::kReceipt) == 1);
    CHECK(hub.inside->desk.assignment() != nullptr);
  }
  SECTION("held too long ago") {
    hub.inside->desk.presence().held(hub.boot);
    hub.pass(2min);
    CHECK(hub.take(hub.home_orders[1]) == "waiting no_presence");
    hub.pass(-1ms);
    CHECK(hub.take(hub.home_orders[1]) == "accepted");
  }
  SECTION("also over a restart of the program") {
    hub.reopen();
    hub.hold();
    CHECK(hub.inside->desk.assignment() != nullptr);
  }
}

TEST_CASE("a hold is good for one order", "[orders][INS-3]") {
  Fresh hub;
  REQUIRE(hub.take(hub.home_orders[0]) == "accepted");
  hub.hold();
  REQUIRE(hub.take(hub.home_orders[1]) == "accepted");
  const auto inga = hub.maker.login("inga", Role::kInstaller);
  const auto again = hub.maker.successor(hub.home_orders[1], fakes::OrderMaker::assignment(hub.home), {&inga});
  CHECK(hub.take(again) == "waiting no_presence");
}

TEST_CASE("orders are taken in any sequence: what lacks something waits, and is judged at each arrival",
          "[orders][AVA-3]") {
  Fresh hub;
  CHECK(hub.take(hub.home_orders[4]) == "waiting no_consent");
  CHECK(hub.take(hub.home_orders[3]) == "waiting no_assignment");
  CHECK(hub.take(hub.home_orders[2]) == "waiting no_assignment");
  CHECK(hub.take(hub.home_orders[1]) == "waiting no_device");
  hub.reopen();
  hub.inside->desk.presence().held(hub.boot);
  CHECK(hub.take(hub.home_orders[0]) == "accepted");
  CHECK(state(hub) == "accepted");
  CHECK(hub.inside->desk.slots().size() == 5);
  CHECK(must(hub.inside->store.waiting()).empty());
}

TEST_CASE("orders that came before the trust bundle or the time wait for them", "[orders][ENF-4]") {
  HubInside hub(kNow);
  const auto grant = hub.maker.grant("olle", Role::kOperator);
  CHECK(hub.take(grant) == "waiting bundle_missing");
  hub.hand->now.synchronised = false;
  hub.hand->now.utc += 1h;
  CHECK(hub.take(grant) == "waiting clock_untrusted");
  hub.hand->now.utc -= 1h;
  hub.pass(1s);
  hub.hand->now.synchronised = true;
  REQUIRE(hub.read().is_trusted());
  must(hub.inside->trust.take_root_list(hub.maker.root_list_envelope(), hub.read()));
  must(hub.inside->trust.take_bundle(hub.maker.bundle_envelope(), hub.read()));
  hub.said = must(hub.inside->desk.judge_waiting(hub.read(), hub.boot));
  CHECK(hub.said.size() == 1);
  CHECK(must(hub.inside->store.was_accepted(grant.hash)));
}

TEST_CASE("orders for another hub, resident or provider are refused", "[orders][SES-6][TEN-1]") {
  Settled hub;
  fakes::Home other = hub.home;
  const auto carin = hub.maker.login("carin", Role::kCareManager);
  const auto carl = hub.maker.login("carl", Role::kCareManager);
  const auto inga = hub.maker.login("inga", Role::kInstaller);
  SECTION("hub") {
    other.hub = fakes::p256_key("other").public_key().thumbprint_text();
    CHECK(hub.take(hub.maker.order(fakes::OrderMaker::assignment(other), {&inga})) == "refused wrong_hub");
  }
  SECTION("resident") {
    other.resident = fakes::random_id("other");
    CHECK(hub.take(hub.maker.order(hub.maker.consent(other), {&carin, &carl})) == "refused wrong_resident");
    CHECK(hub.take(hub.maker.successor(hub.home_orders[1], fakes::OrderMaker::assignment(other), {&inga})) ==
          "refused wrong_resident");
  }
  SECTION("provider") {
    const auto mia = hub.maker.login("mia", Role::kManager);
    const auto rut = hub.maker.login("rut", Role::kRightsAdmin);
    auto payload = hub.maker.payload(hub.maker.grant_of(carin.person, Role::kOperator), {&mia, &rut});
    payload.common.provider = "other";
    CHECK(hub.take(hub.maker.order(payload, {&mia, &rut})) == "refused wrong_provider");
  }
}

TEST_CASE("an act that comes without an offer is refused by name", "[orders]") {
  Settled hub;
  const auto inga = hub.maker.login("inga", Role::kInstaller);
  const auto olle = hub.maker.login("olle", Role::kOperator);
  auto view = hub.maker.view(hub.home, fakes::p256_key("viewer").public_key(), {}, {});
  view.is_test = true;
  CHECK(hub.take(hub.maker.order(view, {&inga})) == "refused type_not_supported");
  view.is_test = false;
  CHECK(hub.take(hub.maker.order(view, {&olle})) == "refused type_not_supported");
  CHECK(judge_opening(hub.inside->standing(), hub.read()).is_open());
}

TEST_CASE("a withdrawn consent and a revoke act at once, whatever their version", "[orders][ENF-5][PRI-2]") {
  Settled hub;
  SECTION("consent") {
    const auto carin = hub.maker.login("carin", Role::kCareManager);
    const orders::Consent withdrawn{hub.home.resident, hub.home.home, hub.home.group, std::nullopt};
    CHECK(hub.take(hub.maker.order(withdrawn, {&carin}, 9)) == "accepted");
    CHECK(judge_opening(hub.inside->standing(), hub.read()).reason == "consent_withdrawn");
    hub.reopen();
    CHECK(judge_opening(hub.inside->standing(), hub.read()).reason == "consent_withdrawn");
  }
  SECTION("revoke") {
    const auto rut = hub.maker.login("rut", Role::kRightsAdmin);
    const orders::Person olle{hub.maker.issuers[0].url(), "olle"};
    CHECK(hub.take(hub.maker.order(orders::Revoke{olle, kNow, "left"}, {&rut}, 9)) == "accepted");
    CHECK(judge_viewer(hub.inside->standing(), hub.read(), olle, "north").reason == "person_revoked");
  }
}

TEST_CASE("an order that was accepted is accepted when it comes again, and logged once", "[orders][AVA-3]") {
  Settled hub;
  const auto logged = hub.event_kinds().size();
  CHECK(hub.take(hub.home_orders[3]) == "accepted");
  CHECK(hub.take(hub.home_orders[1]) == "accepted");
  REQUIRE(hub.said.size() == 2);
  CHECK(hub.said[0].type == ipc::MessageType::kCountersign);  // it may have been lost
  hub.reopen();
  CHECK(hub.take(hub.home_orders[3]) == "accepted");
  CHECK(hub.event_kinds().size() == logged);

  const auto pia = hub.maker.login("pia", Role::kPlanner);
  const auto per = hub.maker.login("per", Role::kPlanner);
  const auto next = hub.maker.successor(hub.home_orders[4], fakes::OrderMaker::schedule(hub.home), {&pia, &per});
  CHECK(hub.take(next) == "accepted");
  CHECK(hub.take(hub.home_orders[4]) == "accepted");
  CHECK(judge_opening(hub.inside->standing(), hub.read()).reason == "outside_window");
}

TEST_CASE("of two orders for one slot the second is refused, and a gap waits", "[orders]") {
  Settled hub;
  const auto pia = hub.maker.login("pia", Role::kPlanner);
  const auto per = hub.maker.login("per", Role::kPlanner);
  const auto first = hub.maker.successor(hub.home_orders[4], fakes::OrderMaker::schedule(hub.home), {&pia, &per});
  const auto rival = hub.maker.successor(hub.home_orders[4], hub.maker.open_schedule(hub.home, 10min), {&pia, &per});
  const auto third = hub.maker.successor(first, hub.maker.open_schedule(hub.home, 5min), {&pia, &per});
  CHECK(hub.take(third) == "waiting version_gap");
  CHECK(hub.take(first) == "accepted");
  CHECK(hub.take(rival) == "refused superseded");
  CHECK(judge_opening(hub.inside->standing(), hub.read()).until == kNow + 5min);
}

TEST_CASE("a refusal is logged with its reason and without a name that nobody proved", "[orders][LOG-1][LOG-15]") {
  Settled hub;
  const auto carin = hub.maker.login("carin", Role::kCareManager);
  const auto carl = hub.maker.login("carl", Role::kCareManager);
  const auto before = hub.events().size();
  auto order = hub.maker.successor(hub.home_orders[3], hub.maker.consent(hub.home), {&carin, &carl});
  auto json = Json::parse(order.text);
  json["signatures"][0]["sig"] = to_base64url(ByteArray<64>{1});
  CHECK(hub.take(json.dump()) == "refused bad_signature");
  const auto olle = hub.maker.login("olle", Role::kOperator);
  fakes::Home other = hub.home;
  other.resident = fakes::random_id("other");
  CHECK(hub.take(hub.maker.order(hub.maker.consent(other), {&carin, &carl})) == "refused wrong_resident");
  const auto events = hub.events();
  REQUIRE(events.size() == before + 2);
  CHECK(events[before].kind == "order_refused");
  CHECK(events[before].reason == "bad_signature");
  CHECK_FALSE(events[before].who);
  CHECK(events[before + 1].who == carin.person);
}

TEST_CASE("what cannot be read gets a receipt if it has a hash, and else none", "[orders]") {
  Settled hub;
  CHECK(hub.take(std::string("not json")) == "nothing");
  const auto pia = hub.maker.login("pia", Role::kPlanner);
  CHECK(hub.take(hub.maker.sign("[]", {&pia})) == "refused malformed");
  const std::string future = R"({"format":2,"type":"hologram"})";
  CHECK(hub.take(hub.maker.sign(future, {&pia})) == "waiting unknown_format");
  CHECK(must(hub.inside->store.waiting()).size() == 1);
}

TEST_CASE("the proofs of an accepted order are not kept on disk", "[orders][SES-10]") {
  Settled hub;
  const auto carin = hub.maker.login("carin", Role::kCareManager);
  CHECK(disk_holds(hub, "supervisions_per_day"));  // so the search works
  CHECK_FALSE(disk_holds(hub, carin.id_token));
  CHECK_FALSE(disk_holds(hub, carin.id_token.substr(carin.id_token.size() - 40)));
}

TEST_CASE("until a device order names the hub it belongs to nobody, and then to one provider", "[orders][TEN-1]") {
  HubInside hub(kNow);
  must(hub.inside->trust.take_root_list(hub.maker.root_list_envelope(), hub.read()));
  must(hub.inside->trust.take_bundle(hub.maker.bundle_envelope(), hub.read()));
  for (const auto& grant : hub.maker.staff_grants()) REQUIRE(hub.take(grant) == "accepted");
  CHECK(hub.inside->desk.book().all().empty());
  const auto tore = hub.maker.login("tore", Role::kTechnician);
  CHECK(hub.take(hub.maker.order(fakes::OrderMaker::device(hub.keys->device_key()), {&tore})) == "accepted");
  CHECK(hub.inside->desk.book().all().size() == 10);
}

TEST_CASE("an outcome is named in the hub's log, once", "[orders][LOG-6]") {
  Settled hub;
  const auto olle = hub.maker.login("olle", Role::kOperator);
  orders::Outcome outcome;
  outcome.kind = orders::OutcomeKind::kCompleted;
  outcome.resident = hub.home.resident;
  outcome.group = hub.home.group;
  outcome.window = {"now", must(civil::parse_date("2026-11-22"))};
  outcome.answer = fakes::bytes32("answer");
  const auto order = hub.maker.order(outcome, {&olle});
  const auto before = hub.events().size();
  CHECK(hub.take(order) == "accepted");
  CHECK(hub.take(order) == "accepted");
  const auto events = hub.events();
  REQUIRE(events.size() == before + 1);
  CHECK(events.back().kind == "outcome");
  CHECK(events.back().order == order.hash);
  CHECK(events.back().window == outcome.window);
  CHECK(events.back().who == olle.person);
}

TEST_CASE("waiting orders are bounded: the oldest make room", "[orders][AVA-6]") {
  Settled hub;
  const auto pia = hub.maker.login("pia", Role::kPlanner);
  for (std::size_t i = 0; i < Store::kMaxWaiting + 5; ++i)
    CHECK(hub.take(hub.maker.sign(R"({"format":2,"n":)" + std::to_string(i) + "}", {&pia})) ==
          "waiting unknown_format");
  CHECK(must(hub.inside->store.waiting()).size() == Store::kMaxWaiting);
}
