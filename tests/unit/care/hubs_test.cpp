#include <algorithm>
#include <map>

#include "common/ledger/checkpoint.h"
#include "relay/care/needs.h"
#include "relay/care/residents.h"
#include "relay/care/tonight.h"
#include "relay/care/views.h"
#include "tests/unit/care/served.h"

namespace tillsyn::town {
namespace {

// ---- what a hub is told ----

TEST_CASE("a hub that holds nothing is told all it needs, each order after those it stands on", "[care]") {
  Served town;
  const auto told = town.told(status());
  for (const auto& order : town.home) REQUIRE(told.contains(to_base64url(order.hash)));
  const auto place = [&](const orders::Order& order) { return told.at(to_base64url(order.hash)); };
  CHECK(place(town.home[0]) < place(town.home[1]));
  CHECK(place(town.home[1]) < place(town.home[2]));
  CHECK(place(town.home[3]) < place(town.home[4]));
  CHECK(place(town.maker.grant("tore", Role::kTechnician)) < place(town.home[0]));
  CHECK(place(town.maker.grant("pia", Role::kPlanner)) < place(town.home[4]));
  CHECK(told.contains(to_base64url(town.maker.grant("olle", Role::kOperator).hash)));
  CHECK_FALSE(told.contains(to_base64url(town.maker.grant("lo", Role::kLogReviewer).hash)));
}

TEST_CASE("with the gate away a hub is told of trust alone", "[care]") {
  Served town;
  const auto work = town.desk.work_for(town.at, Json());
  REQUIRE(work.ok());
  CHECK(work->orders.empty());
  CHECK_FALSE(work->trust.root_list.empty());
  CHECK_FALSE(work->trust.bundle.empty());
}

TEST_CASE("trust is said to those who hold an older one only", "[care]") {
  Served town;
  Json now = status();
  now["bundle"] = {{"root_list_version", 3}, {"counter", 12}};
  CHECK(town.desk.work_for(town.at, now)->trust.bundle.empty());
  CHECK(town.desk.work_for(town.at, now)->trust.root_list.empty());
  now["bundle"]["counter"] = 11;
  now["root_list"] = 2;
  CHECK_FALSE(town.desk.work_for(town.at, now)->trust.bundle.empty());
  CHECK_FALSE(town.desk.work_for(town.at, now)->trust.root_list.empty());
}

TEST_CASE("what a hub shows or has receipted is not said again", "[care]") {
  Served town;
  const auto slots = town.provider().book.slots(town.hub.id(), town.hub.home().resident);
  auto told = town.told(status(slots));
  for (const auto& order : town.home) CHECK_FALSE(told.contains(to_base64url(order.hash)));

  const auto grant = town.maker.grant("olle", Role::kOperator);
  REQUIRE(told.contains(to_base64url(grant.hash)));
  town.receive(grant.hash, Verdict::Kind::kAccepted);
  CHECK_FALSE(town.told(status(slots)).contains(to_base64url(grant.hash)));
}

TEST_CASE("a refused order is not said again, whatever happens", "[care]") {
  Served town;
  town.receive(town.home[4].hash, Verdict::Kind::kRefused, "beyond_consent");
  CHECK_FALSE(town.told(status()).contains(to_base64url(town.home[4].hash)));
  town.lose_and_find();
  CHECK_FALSE(town.told(status()).contains(to_base64url(town.home[4].hash)));
}

TEST_CASE("an order that waits at the hub is said again after something has changed, or the hub came back", "[care]") {
  Served town;
  const auto hash = to_base64url(town.home[4].hash);
  town.receive(town.home[4].hash, Verdict::Kind::kWaiting, "no_consent");
  CHECK_FALSE(town.told(status()).contains(hash));
  SECTION("another order was accepted") { town.must_post(town.maker.grant("ny", Role::kOperator)); }
  SECTION("a newer bundle came") {
    ++town.maker.bundle.version.counter;
    REQUIRE(town.services->take_bundle(town.maker.bundle_envelope()).ok());
  }
  SECTION("the hub had been lost") { town.lose_and_find(); }
  SECTION("the gate has started anew") {
    REQUIRE(town.desk.record(town.at, {{}, {}, {}, {town.hub.seal(town.hub.event(1, {}, "started"))}}).ok());
  }
  SECTION("the relay has started anew") {
    town.start();
    api::HubDesk anew(*town.services);
    CHECK(anew.work_for(town.at, status())->orders.size() > 0);
    return;
  }
  CHECK(town.told(status()).contains(hash));
}

// Two homes of one provider, and a check at every order that whoever then has more to be told is among those it
// concerns.
struct TwoHomes : Served {
  TwoHomes() : other("other hub"), other_at(enrol(other.device_key)) {}

  std::vector<std::string> texts_for(const hubs::Hub& which) { return desk.work_for(which, status())->orders; }

  // How many hubs it concerns.
  std::size_t accept(const orders::Order& order) {
    const std::map<std::string, std::vector<std::string>> before = {{at.id, texts_for(at)},
                                                                    {other_at.id, texts_for(other_at)}};
    const auto accepted = post(order);
    INFO(orders::type_name(order.payload.body));
    REQUIRE(accepted.ok());
    std::size_t concerned = 0;
    for (const auto& one : {at, other_at}) {
      const bool is_concerned = !accepted->hubs || std::ranges::count(*accepted->hubs, one.id) > 0;
      if (texts_for(one) != before.at(one.id)) CHECK(is_concerned);
      concerned += is_concerned ? 1 : 0;
    }
    return concerned;
  }

  Home other_home() {
    Home place = other.home();
    place.resident = fakes::random_id("another resident");
    place.home = fakes::random_id("another home");
    return place;
  }

  TestHub other;
  hubs::Hub other_at;
};

TEST_CASE("whoever is to be told of an order is looked at when it is accepted, and no other home's hub", "[care]") {
  TwoHomes town;
  const auto home = town.maker.home_orders(town.other_home(), town.other.device_key.public_key());
  CHECK(town.accept(home[0]) == 1);
  CHECK(town.accept(home[1]) == 1);
  REQUIRE(town.desk.record(town.other_at, {{}, {}, {town.other.countersign(home[1].hash)}, {}}).ok());
  for (std::size_t i = 2; i < home.size(); ++i) CHECK(town.accept(home[i]) == 1);
  CHECK(town.accept(town.maker.grant("ny", Role::kOperator)) == 2);
  const Staff rut = town.maker.login("rut", Role::kRightsAdmin);
  const auto grant = town.maker.grant("olle", Role::kOperator);
  CHECK(town.accept(town.maker.successor(grant, orders::Revoke{town.olle(), kNow, "left"}, {&rut})) == 2);
  const Staff pia = town.maker.login("pia", Role::kPlanner);
  const Staff per = town.maker.login("per", Role::kPlanner);
  CHECK(town.accept(town.maker.successor(home[4], OrderMaker::schedule(town.other_home()), {&pia, &per})) == 1);
}

TEST_CASE("a revoke is said to every hub", "[care]") {
  Served town;
  const Staff rut = town.maker.login("rut", Role::kRightsAdmin);
  const auto grant = town.maker.grant("olle", Role::kOperator);
  const auto revoke = town.maker.successor(grant, orders::Revoke{town.olle(), kNow, "left"}, {&rut});
  town.must_post(revoke);
  CHECK(town.told(status()).contains(to_base64url(revoke.hash)));
}

TEST_CASE("rights that have become fewer are said to the hub that was told of them", "[care][IAM-6]") {
  Served town;
  const Staff mia = town.maker.login("mia", Role::kManager);
  const Staff rut = town.maker.login("rut", Role::kRightsAdmin);
  const auto grant = town.maker.grant("olle", Role::kOperator);
  const auto fewer =
      town.maker.successor(grant, town.maker.grant_of(town.olle(), Role::kOperator, {"south"}), {&mia, &rut});
  SECTION("told") {
    town.receive(grant.hash, Verdict::Kind::kAccepted);
    town.must_post(fewer);
    CHECK(town.told(status(town.slots())).contains(to_base64url(fewer.hash)));
  }
  SECTION("never told") {
    town.must_post(fewer);
    CHECK_FALSE(town.told(status(town.slots())).contains(to_base64url(fewer.hash)));
  }
}

TEST_CASE("a hub that has missed versions is told them all, in their sequence", "[care][ENF-8]") {
  Served town;
  const Staff pia = town.maker.login("pia", Role::kPlanner);
  const Staff per = town.maker.login("per", Role::kPlanner);
  std::vector<orders::Order> versions{town.home[4]};
  town.receive(town.home[4].hash, Verdict::Kind::kAccepted);
  const auto slots = town.slots();
  for (const auto& date : {"2026-12-01", "2026-12-02", "2026-12-03"}) {
    auto body = OrderMaker::schedule(town.hub.home());
    body.schedule.valid_from = *civil::parse_date(date);
    versions.push_back(town.maker.successor(versions.back(), body, {&pia, &per}));
    town.must_post(versions.back());
  }
  const auto told = town.told(status(slots));
  for (std::size_t i = 1; i < versions.size(); ++i) REQUIRE(told.contains(to_base64url(versions[i].hash)));
  const auto place = [&](std::size_t i) { return told.at(to_base64url(versions[i].hash)); };
  CHECK(place(1) < place(2));
  CHECK(place(2) < place(3));

  town.receive(versions[1].hash, Verdict::Kind::kAccepted);
  CHECK_FALSE(town.told(status(slots)).contains(to_base64url(versions[1].hash)));
  const auto blank = town.told(status());
  CHECK(blank.contains(to_base64url(versions[3].hash)));
  CHECK_FALSE(blank.contains(to_base64url(versions[2].hash)));
}

TEST_CASE("an order for another hub is not said", "[care]") {
  Served town;
  TestHub other("other hub");
  const Staff tore = town.maker.login("tore", Role::kTechnician);
  const auto device = town.maker.order(OrderMaker::device(other.device_key.public_key()), {&tore});
  town.must_post(device);
  CHECK_FALSE(town.told(status()).contains(to_base64url(device.hash)));
}

// ---- what a hub signs ----

TEST_CASE("events are kept in their chain, each with its entry, and acknowledged up to the newest",
          "[care][LOG-2][LOG-11]") {
  Served town;
  const auto first = town.hub.event(1, {}, "started");
  auto second = town.hub.event(2, TestHub::hash(first), "view_started");
  second.resident = town.hub.home().resident;
  second.who = town.olle();
  second.order = fakes::bytes32("view");
  const auto acked = town.desk.record(town.at, {{}, {}, {}, {town.hub.seal(first), town.hub.seal(second)}});
  REQUIRE(acked.ok());
  CHECK(*acked == 2);
  const auto entry = town.newest();
  CHECK(entry.kind == ledger::EntryKind::kEvent);
  CHECK(entry.what == "view_started");
  CHECK(entry.resident == town.hub.home().resident);
  CHECK(entry.who == std::vector<ledger::Person>{care::ledger_person(town.olle())});
  CHECK(entry.hash == TestHub::hash(second));

  const auto length = town.log().size();
  CHECK(*town.desk.record(town.at, {{}, {}, {}, {town.hub.seal(first), town.hub.seal(second)}}) == 2);
  CHECK(town.log().size() == length);
}

TEST_CASE("an event that does not follow the newest is left with all after it", "[care][AUD-1]") {
  Served town;
  const auto first = town.hub.event(1, {}, "started");
  REQUIRE(town.desk.record(town.at, {{}, {}, {}, {town.hub.seal(first)}}).ok());
  orders::Event next = town.hub.event(2, TestHub::hash(first));
  SECTION("a gap") { next.n = 3; }
  SECTION("another past") { next.prev = fakes::bytes32("other"); }
  SECTION("another under a number that was told: a disk that has gone back") {
    next = town.hub.event(1, {}, "stopped");
  }
  const auto after = town.hub.event(next.n + 1, TestHub::hash(next));
  const auto acked = town.desk.record(town.at, {{}, {}, {}, {town.hub.seal(next), town.hub.seal(after)}});
  REQUIRE(acked.ok());
  CHECK(*acked == 1);
  CHECK(town.newest().what == "document_refused");
  CHECK(town.newest().reason == std::string("broken_chain"));
}

TEST_CASE("what another key has signed, or of another hub, is left out and entered once a minute", "[care]") {
  Served town;
  TestHub other("other hub");
  const auto before = town.log().size();
  const auto forged = other.seal(orders::DeviceKind::kCountersign,
                                 orders::format(orders::Countersign{town.hub.id(), town.home[1].hash, kNow}));
  REQUIRE(town.desk.record(town.at, {{}, {}, {forged, other.countersign(town.home[1].hash)}, {}}).ok());
  REQUIRE(town.desk.record(town.at, {{}, {other.receipt(town.home[0].hash, Verdict::Kind::kAccepted)}, {}, {}}).ok());
  CHECK(town.log().size() == before + 1);
  CHECK(town.newest().what == "document_refused");
  CHECK(town.newest().reason == std::string("bad_signature"));
}

TEST_CASE("an answer is entered with its decision and reason, and only about an order in the log",
          "[care][LOG-5][LOG-10]") {
  Served town;
  const auto view = town.view();
  const auto answer_to = [&](const orders::Hash& order) {
    orders::Answer answer;
    answer.hub = town.hub.id();
    answer.order = order;
    answer.resident = town.hub.home().resident;
    answer.camera = "bedroom";
    answer.viewer_key = fakes::p256_key("viewer").public_key().point();
    answer.reason = "outside_window";
    return town.hub.seal(orders::DeviceKind::kAnswer, orders::format(answer));
  };
  REQUIRE(town.desk.record(town.at, {{answer_to(view.hash)}, {}, {}, {}}).ok());
  CHECK(town.newest().what == "document_refused");
  REQUIRE(care::accept_view(town.provider(), town.trusted(), view.text, town.olle(), kNow).ok());
  REQUIRE(town.desk.record(town.at, {{answer_to(view.hash)}, {}, {}, {}}).ok());
  CHECK(town.newest().kind == ledger::EntryKind::kAnswer);
  CHECK(town.newest().what == "closed");
  CHECK(town.newest().reason == std::string("outside_window"));
}

// ---- enrolment ----

TEST_CASE("a hub is enrolled once by its code, and found by its link key", "[care][INS-2]") {
  Town town;
  TestHub hub("hub");
  api::HubDesk desk(*town.services);
  const auto enrolled = town.enrol(hub.device_key);
  CHECK(enrolled.id == hub.id());
  CHECK(town.newest().what == "enrolled");
  CHECK(desk.enrolled()->size() == 1);
  town.start();
  api::HubDesk anew(*town.services);
  CHECK(anew.find(fakes::p256_key("link of " + hub.id() + "1").public_key().point()).ok());
  CHECK(anew.find(fakes::p256_key("another").public_key().point()).error().reason == "unknown_link_key");
}

TEST_CASE("clones, replays and wrong codes are refused and entered", "[care][INS-2]") {
  Town town;
  TestHub hub("hub");
  TestHub clone("clone");
  api::HubDesk desk(*town.services);
  const auto link = fakes::p256_key("link").public_key();
  const auto code = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
  REQUIRE(code.ok());
  const auto envelope = Town::link_key(hub.device_key, link);
  std::string expected = "bad_code";
  Result<hubs::Hub> result = Error{};
  SECTION("a wrong code") { result = desk.enrol("WRONGWRONGWRONGW", envelope, link.point()); }
  SECTION("an older code") {
    REQUIRE(town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now).ok());
    result = desk.enrol(code->code, envelope, link.point());
  }
  SECTION("a code that has run out") {
    town.now = code->expires_at;
    result = desk.enrol(code->code, envelope, link.point());
  }
  SECTION("the right code after too many wrong ones") {
    for (int i = 0; i < care::Enrolment::kMaxTries; ++i) CHECK_FALSE(desk.enrol("WRONG", envelope, link.point()).ok());
    result = desk.enrol(code->code, envelope, link.point());
  }
  SECTION("used twice") {
    REQUIRE(desk.enrol(code->code, envelope, link.point()).ok());
    result = desk.enrol(code->code, Town::link_key(hub.device_key, link, 2), link.point());
  }
  SECTION("over a connection under another link key") {
    result = desk.enrol(code->code, envelope, fakes::p256_key("another").public_key().point());
    expected = "wrong_link_key";
  }
  SECTION("an old request replayed with a new code") {
    REQUIRE(desk.enrol(code->code, envelope, link.point()).ok());
    const auto newer = fakes::p256_key("newer").public_key();
    auto next = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
    REQUIRE(desk.enrol(next->code, Town::link_key(hub.device_key, newer, 2), newer.point()).ok());
    next = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
    result = desk.enrol(next->code, envelope, link.point());
    expected = "replayed";
  }
  SECTION("another key under a number that is taken") {
    REQUIRE(desk.enrol(code->code, envelope, link.point()).ok());
    const auto other = fakes::p256_key("other").public_key();
    const auto next = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
    result = desk.enrol(next->code, Town::link_key(hub.device_key, other), other.point());
    expected = "replayed";
  }
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().reason == expected);
  CHECK(town.newest().what == "enrol_refused");
  CHECK(town.newest().reason == expected);
}

TEST_CASE("a hub that has not heard that it is enrolled is told again, under the same link key",
          "[care][INS-2][AVA-3]") {
  Town town;
  TestHub hub("hub");
  api::HubDesk desk(*town.services);
  const auto link = fakes::p256_key("link").public_key();
  const auto code = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
  const auto envelope = Town::link_key(hub.device_key, link);
  REQUIRE(desk.enrol(code->code, envelope, link.point()).ok());
  const auto again = desk.enrol(code->code, envelope, link.point());
  REQUIRE(again.ok());
  CHECK(again->provider == OrderMaker::kProvider);
  CHECK(desk.enrolled()->size() == 1);
  const auto next = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
  CHECK(desk.enrol(next->code, envelope, link.point()).ok());
  const auto other = fakes::p256_key("other").public_key();
  CHECK(desk.enrol(code->code, envelope, other.point()).error().reason == "wrong_link_key");
}

TEST_CASE("asking again and again to be enrolled fills no log", "[care][INS-2][AVA-6]") {
  Town town;
  TestHub hub("hub");
  api::HubDesk desk(*town.services);
  const auto link = fakes::p256_key("link").public_key();
  const auto code = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
  const auto envelope = Town::link_key(hub.device_key, link);
  REQUIRE(desk.enrol(code->code, envelope, link.point()).ok());
  const auto entries = town.log().size();
  for (int i = 0; i < 100; ++i) REQUIRE(desk.enrol(code->code, envelope, link.point()).ok());
  CHECK(town.log().size() == entries);
  const auto refuse = [&](int times) {
    for (int i = 0; i < times; ++i)
      CHECK_FALSE(desk.enrol("WRONG", Town::link_key(hub.device_key, link, 2), link.point()).ok());
  };
  refuse(100);
  CHECK(town.log().size() == entries + api::Refusals::kMostAMinute);
  town.now += std::chrono::minutes(1);
  refuse(1);
  CHECK(town.log().size() == entries + api::Refusals::kMostAMinute + 1);
}

TEST_CASE("whose hub a link key is can be told without the store, by the newest one alone", "[care][AVA-6]") {
  Town town;
  TestHub hub("hub");
  const auto enrol = [&](const char* name, int n) {
    const auto link = fakes::p256_key(name).public_key();
    const auto code = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
    api::HubDesk desk(*town.services);
    REQUIRE(desk.enrol(code->code, Town::link_key(hub.device_key, link, n), link.point()).ok());
  };
  const auto provider_of = [&](const char* name) {
    return town.services->provider_of_link(fakes::p256_key(name).public_key().point());
  };
  CHECK(provider_of("first").empty());
  enrol("first", 1);
  CHECK(provider_of("first") == OrderMaker::kProvider);
  town.start();
  CHECK(provider_of("first") == OrderMaker::kProvider);
  enrol("second", 2);
  CHECK(provider_of("first").empty());
  CHECK(provider_of("second") == OrderMaker::kProvider);
}

TEST_CASE("a code of one hub does not enrol another", "[care][INS-2]") {
  Town town;
  TestHub hub("hub");
  TestHub clone("clone");
  api::HubDesk desk(*town.services);
  const auto link = fakes::p256_key("link").public_key();
  const auto code = town.services->enrolment().make_code(OrderMaker::kProvider, hub.id(), town.now);
  CHECK(desk.enrol(code->code, Town::link_key(clone.device_key, link), link.point()).error().reason == "bad_code");
  auto altered = Town::link_key(hub.device_key, link);
  altered["sig"] = Town::link_key(clone.device_key, link)["sig"];
  CHECK(desk.enrol(code->code, altered, link.point()).error().reason == "bad_signature");
  CHECK(desk.enrolled()->empty());
}

TEST_CASE("a hub that the bundle revokes is not served", "[care][INS-2]") {
  Served town;
  ++town.maker.bundle.version.counter;
  town.maker.bundle.revoked_hubs = {town.hub.id()};
  REQUIRE(town.services->take_bundle(town.maker.bundle_envelope()).ok());
  const auto link = fakes::p256_key("link of " + town.hub.id() + "1").public_key();
  CHECK(town.desk.find(link.point()).error().reason == "hub_revoked");
  CHECK(town.desk.enrolled()->empty());
}

// ---- views ----

TEST_CASE("a view is in the log before it is offered, with every proof that a hub needs", "[care][LOG-5][AUD-1]") {
  Served town;
  const auto before = *town.provider().ledger->checkpoint();
  const auto view = town.view();
  const auto accepted = care::accept_view(town.provider(), town.trusted(), view.text, town.olle(), kNow);
  REQUIRE(accepted.ok());
  town.lose_and_find();  // the log goes on before the hub's poll takes the offer
  Json at = status();
  at["ledger"] = {{"size", before.size}, {"root", to_base64url(before.root)}};
  const auto text = care::make_offer(town.provider(), town.trusted(), view.text, accepted->entry.seq, at);
  REQUIRE(text.ok());
  const Json offer = Json::parse(*text);

  const auto newest =
      ledger::open_checkpoint(offer["checkpoint"].get<std::string>(), town.provider().ledger->verifier_key());
  REQUIRE(newest.ok());
  const auto proof_in = [](const Json& list) {
    ledger::Proof out;
    for (const auto& one : list) out.push_back(*from_base64url_exact<32>(one.get<std::string>()));
    return out;
  };
  const auto leaf = ledger::entry_leaf(*ledger::entry_for_order(view.payload_text, offer["seq"].get<std::uint64_t>(),
                                                                *parse_instant(offer["time"].get<std::string>())));
  CHECK(ledger::verify_inclusion(leaf, offer["seq"].get<std::uint64_t>(), newest->size, proof_in(offer["inclusion"]),
                                 newest->root)
            .ok());
  CHECK(ledger::verify_consistency(before.size, newest->size, proof_in(offer["consistency"]["hub"]), before.root,
                                   newest->root)
            .ok());
  CHECK(offer["consistency"]["viewer"].empty());
  CHECK(offer["consistency"]["bundle"].empty());
  CHECK(offer["order"] == Json::parse(view.text));
}

TEST_CASE("a view that is refused leaves no offer, and its refusal is in the log", "[care][LOG-9]") {
  Served town;
  const auto view = town.view();
  auto viewer = town.olle();
  std::string text = view.text;
  std::string expected;
  SECTION("asked for by another than its signer") {
    viewer.value = "somebody";
    expected = "person_mismatch";
  }
  SECTION("by somebody without a grant") {
    text = town.view("challenge", "nobody").text;
    viewer.value = "nobody";
    expected = "no_grant";
  }
  SECTION("replayed") {
    REQUIRE(care::accept_view(town.provider(), town.trusted(), text, viewer, kNow).ok());
    expected = "replayed";
  }
  SECTION("of a camera that is not assigned") {
    const Staff olle = town.maker.login("olle", Role::kOperator);
    auto body = town.maker.view(town.hub.home(), fakes::p256_key("viewer").public_key(), fakes::bytes32("c"), {});
    body.camera = "kitchen";
    text = town.maker.order(body, {&olle}).text;
    expected = "wrong_camera";
  }
  SECTION("after a login that is too old") {
    town.now = kNow + std::chrono::hours(13);
    expected = "auth_too_old";
  }
  SECTION("a standing order") {
    text = town.home[4].text;
    expected = "type_not_supported";
  }
  const auto refused = care::accept_view(town.provider(), town.trusted(), text, viewer, town.now);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == expected);
  CHECK(town.newest().what == "order_refused");
  CHECK(town.newest().reason == expected);
}

// ---- the night, and names ----

TEST_CASE("tonight lists each window with its outcome; a later not-seen outweighs completed", "[care][SES-1]") {
  Served town;
  const auto list = [&] {
    Json rows = Json::array();
    const auto all = care::tonight(town.provider(), town.now, [](const std::string&) { return true; });
    for (const auto& one : *all) rows.push_back(care::tonight_json(town.provider().book, one, town.now));
    return rows;
  };
  REQUIRE(list().size() >= 2);
  Json row;
  for (const auto& one : list()) {
    if (one["start"] == "2026-11-22T21:30:00Z") row = one;
  }
  REQUIRE(row.is_object());
  CHECK(row["hub"] == town.hub.id());
  CHECK(row["in_force"] == true);
  CHECK(row["outcome"].is_null());

  const Staff olle = town.maker.login("olle", Role::kOperator);
  orders::Outcome outcome;
  outcome.resident = town.hub.home().resident;
  outcome.group = town.hub.home().group;
  outcome.window = {row["window"]["id"].get<std::string>(),
                    *civil::parse_date(row["window"]["date"].get<std::string>())};
  const auto mark = [&](orders::OutcomeKind kind) {
    outcome.kind = kind;
    const bool has_answer = kind == orders::OutcomeKind::kCompleted || kind == orders::OutcomeKind::kNotSeen;
    outcome.answer = has_answer ? std::optional<orders::Hash>(orders::Hash{}) : std::nullopt;
    outcome.reason = has_answer ? "" : "no picture";
    town.must_post(town.maker.order(outcome, {&olle}));
    for (const auto& one : list()) {
      if (one["start"] == row["start"]) return one["outcome"]["type"].get<std::string>();
    }
    return std::string();
  };
  CHECK(mark(orders::OutcomeKind::kCompleted) == "completed");
  CHECK(town.newest().what == "completed");
  CHECK(mark(orders::OutcomeKind::kNotSeen) == "not-seen");
  CHECK(mark(orders::OutcomeKind::kVisitTaken) == "visit-taken");
  CHECK(mark(orders::OutcomeKind::kUnable) == "visit-taken");
}

TEST_CASE("names are sealed under the resident's key, and gone with it", "[care][PRI-6]") {
  Town town;
  const auto id = fakes::random_id("resident");
  const auto resident = care::read_resident(id, {{"group", "north"},
                                                 {"name", "Astrid Ek"},
                                                 {"address", "Storgatan 1"},
                                                 {"salt", to_base64url(fakes::bytes32("salt"))}});
  REQUIRE(resident.ok());
  auto& provider = town.provider();
  REQUIRE(care::put_resident(provider, *resident, {"https://idp.example", "carin"}, town.now).ok());
  CHECK(care::get_resident(provider, id)->name == "Astrid Ek");
  const auto sealed = provider.database.select_one<std::string>("select sealed from residents");
  CHECK(std::get<0>(**sealed).find("Astrid") == std::string::npos);
  CHECK(
      care::list_residents(provider, "", 10, [](const std::string& group, bool) { return group == "south"; })->empty());
  const auto north = [](const std::string& group, bool) { return group == "north"; };
  CHECK(care::list_residents(provider, "", 10, north)->size() == 1);
  CHECK(care::list_residents(provider, "", 0, north)->empty());
  CHECK(care::list_residents(provider, id, 10, north)->empty());
  REQUIRE(provider.database.run("delete from resident_keys").ok());
  CHECK(care::get_resident(provider, id).error().reason == "erased");
}

TEST_CASE("a resident's entry that is malformed is refused", "[care]") {
  const auto id = fakes::random_id("resident");
  const Json good = {
      {"group", "north"}, {"name", "A"}, {"address", ""}, {"salt", to_base64url(fakes::bytes32("salt"))}};
  CHECK(care::read_resident(id, good).ok());
  CHECK_FALSE(care::read_resident("short", good).ok());
  for (const auto& [member, value] : std::map<std::string, Json>{{"group", "North!"},
                                                                 {"name", ""},
                                                                 {"name", std::string(257, 'x')},
                                                                 {"salt", "AA"},
                                                                 {"personal_number", "1"},
                                                                 {"resident", fakes::random_id("other")}}) {
    Json bad = good;
    bad[member] = value;
    INFO(member);
    CHECK_FALSE(care::read_resident(id, bad).ok());
  }
}

TEST_CASE("the second provider never sees the first's rows", "[care][TEN-1]") {
  Town town;
  auto key = store::ledger_key(town.folder, "nacka");
  auto second = town.maker.root_list.providers[0];
  second.id = "nacka";
  second.ledger_key = {"log.example/nacka", key->public_key()};
  second.app_origins = {"https://app.nacka.example"};
  town.maker.root_list.providers.push_back(second);
  ++town.maker.root_list.version;
  REQUIRE(town.services->take_root_list(town.maker.root_list_envelope()).ok());
  town.hire();
  auto& nacka = **town.services->provider("nacka");
  CHECK(nacka.book.all().empty());
  CHECK(*nacka.ledger->size() == 2);  // log_opened, root_list_taken
  CHECK(care::order_items(nacka, 0, 10, kNow)->empty());
  const auto grant = town.maker.grant("ny", Role::kOperator);
  CHECK(care::accept_order(nacka, town.trusted(), grant.text, std::nullopt, {"i", "p"}, kNow).error().reason ==
        "wrong_provider");
}

TEST_CASE("a provider whose ledger key is another relay's is not served", "[care]") {
  Town town;
  town.maker.root_list.providers[0].ledger_key.public_key = fakes::ed25519_key("foreign").public_key();
  ++town.maker.root_list.version;
  REQUIRE(town.services->take_root_list(town.maker.root_list_envelope()).ok());
  town.start();
  CHECK(town.services->provider(OrderMaker::kProvider).error().reason == "unknown_provider");
}

// ---- trust ----

TEST_CASE("trust documents prove themselves, and an older one never comes back", "[care]") {
  Town town;
  auto& maker = town.maker;
  const auto held_bundle = maker.bundle_envelope();
  CHECK_FALSE(*town.services->take_bundle(held_bundle));
  SECTION("an older bundle") {
    maker.bundle.version.counter = 11;
    CHECK(town.services->take_bundle(maker.bundle_envelope()).error().reason == "bundle_older");
  }
  SECTION("an older root list") {
    maker.root_list.version = 2;
    CHECK(town.services->take_root_list(maker.root_list_envelope()).error().reason == "root_list_older");
  }
  SECTION("another bundle under the same number") {
    maker.bundle.issued_at += std::chrono::seconds(1);
    CHECK(town.services->take_bundle(maker.bundle_envelope()).error().reason == "slot_taken");
  }
  SECTION("a bundle that has run out") {
    ++maker.bundle.version.counter;
    town.now = maker.bundle.expires_at;
    CHECK(town.services->take_bundle(maker.bundle_envelope()).error().reason == "bundle_expired");
  }
  SECTION("a root list signed by one only") {
    ++maker.root_list.version;
    Json one = Json::parse(maker.root_list_envelope());
    one["signatures"].erase(1);
    CHECK(town.services->take_root_list(one.dump()).error().reason == "bad_signature");
  }
  SECTION("a bundle signed by another key") {
    ++maker.bundle.version.counter;
    orders::TrustEnvelope forged{orders::format_bundle(maker.bundle), {}};
    orders::add_signature(forged, orders::TrustKind::kBundle, fakes::ed25519_key("thief"));
    CHECK(town.services->take_bundle(orders::format_trust_envelope(forged)).error().reason == "bad_signature");
  }
  SECTION("no JSON at all") { CHECK_FALSE(town.services->take_bundle("{").ok()); }
  town.start();
  CHECK(town.services->trust().bundle_text() == held_bundle);
}

}  // namespace
}  // namespace tillsyn::town
