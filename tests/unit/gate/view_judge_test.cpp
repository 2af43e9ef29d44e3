#include <functional>

#include "common/ledger/entry.h"
#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;

namespace {

const Instant kNow = must(parse_instant("2026-11-22T20:15:00Z"));

// A hub whose window is open, and an operator in front of it.
class Evening {
 public:
  Evening() : hub(kNow) {
    hub.settle(15min);
    hub.log.grow(5);
  }

  // The view as it should be; the changes that tests make come before it is signed.
  orders::View view() {
    auto view = hub.maker.view(hub.home, fakes::p256_key("viewer").public_key(), challenges.fresh(hub.boot),
                               hub.inside->desk.head());
    view.checkpoint = viewer_has_seen;
    return view;
  }

  orders::Order sign(orders::Body body) {
    auto payload = hub.maker.payload(std::move(body), {&olle});
    payload.common.id = fakes::random_id("view " + std::to_string(count++));
    return hub.maker.order(payload, {&olle});
  }

  Json offer(const orders::Order& order) {
    const auto seq = hub.log.enter(order);
    return hub.log.offer(order, seq, must(hub.inside->store.checkpoint()), bundle_has_seen);
  }

  JudgedView judge(const orders::Order& order, const Json& offered) {
    const auto offer = must(parse_offer(offered.dump()));
    return must(hub.inside->judge.judge(offer, order, hub.inside->standing(), challenges, hub.read(), hub.boot));
  }

  std::string ask(const orders::Order& order, const Json& offered) {
    const auto judged = judge(order, offered);
    if (judged.log_seen) must(hub.inside->store.save_checkpoint(*judged.log_seen, judged.epoch));
    return judged.opening.is_open() ? "open" : judged.opening.reason;
  }
  std::string ask(const orders::Order& order) { return ask(order, offer(order)); }
  std::string ask(const orders::View& view) { return ask(sign(view)); }
  std::string ask() { return ask(view()); }

  HubInside hub;
  Challenges challenges;
  fakes::Staff olle = hub.maker.login("olle", orders::Role::kOperator);
  orders::LogPoint viewer_has_seen;
  orders::LogPoint bundle_has_seen;
  int count = 0;
};

}  // namespace

TEST_CASE("an operator in the right group may look in an open window, again and again", "[view][ENF-1][LOG-5]") {
  Evening evening;
  CHECK(evening.ask() == "open");
  evening.hub.log.grow(3);
  CHECK(evening.ask() == "open");
}

TEST_CASE("outside the window the answer is no, and when the next one is", "[view][LOG-10][ENF-1]") {
  Evening evening;
  evening.hub.pass(15min);
  const auto order = evening.sign(evening.view());
  const auto judged = evening.judge(order, evening.offer(order));
  CHECK(judged.opening.reason == "outside_window");
  CHECK(judged.opening.next == kNow + 24h);
}

TEST_CASE("a view under an untrusted clock is refused", "[view][ENF-4]") {
  Evening evening;
  evening.hub.hand->now.synchronised = false;
  evening.hub.hand->now.utc += 1h;
  CHECK(evening.ask() == "clock_untrusted");
}

TEST_CASE("a view for another hub, resident, camera or group is refused", "[view][SES-6]") {
  Evening evening;
  auto view = evening.view();
  SECTION("hub") {
    view.hub = fakes::p256_key("other").public_key().thumbprint_text();
    CHECK(evening.ask(view) == "wrong_hub");
  }
  SECTION("resident") {
    view.resident = fakes::random_id("other");
    CHECK(evening.ask(view) == "wrong_resident");
  }
  SECTION("camera") {
    view.camera = "kitchen";
    CHECK(evening.ask(view) == "wrong_camera");
  }
  SECTION("group") {
    view.group = "south";
    CHECK(evening.ask(view) == "group_not_in_scope");
  }
}

TEST_CASE("an old, foreign or used challenge opens nothing", "[view][ENF-1]") {
  Evening evening;
  SECTION("never made here") {
    auto view = evening.view();
    view.challenge = fakes::bytes32("invented");
    CHECK(evening.ask(view) == "unknown_challenge");
  }
  SECTION("two minutes old") {
    const auto view = evening.view();
    evening.hub.pass(2min);
    CHECK(evening.ask(view) == "unknown_challenge");
  }
  SECTION("from before a restart") {
    const auto view = evening.view();
    evening.challenges = Challenges();
    CHECK(evening.ask(view) == "unknown_challenge");
  }
  SECTION("the same order twice") {
    const auto order = evening.sign(evening.view());
    CHECK(evening.ask(order) == "open");
    CHECK(evening.ask(order) == "replayed");
  }
  SECTION("the same order twice, in other bytes") {
    const auto order = evening.sign(evening.view());
    CHECK(evening.ask(order) == "open");
    evening.count = 0;
    CHECK(evening.ask(evening.view()) == "replayed");
  }
}

TEST_CASE("who has no right to look does not, and what is not proved is refused", "[view][SES-6][IAM-2]") {
  Evening evening;
  SECTION("not granted") {
    evening.olle = evening.hub.maker.login("nils", orders::Role::kOperator);
    CHECK(evening.ask() == "no_grant");
  }
  SECTION("in another role") {
    evening.olle = evening.hub.maker.login("pia", orders::Role::kPlanner);
    CHECK(evening.ask() == "wrong_role");
  }
  SECTION("logged in too long ago") {
    evening.olle.claims["auth_time"] = evening.olle.claims["auth_time"].get<std::int64_t>() - 13 * 3600;
    evening.hub.maker.renew_token(evening.olle);
    CHECK(evening.ask() == "auth_too_old");
  }
  SECTION("logged in too weakly") {
    evening.olle.claims["acr"] = "http://id.sambi.se/loa/loa2";
    evening.hub.maker.renew_token(evening.olle);
    CHECK(evening.ask() == "acr_too_low");
  }
  SECTION("another's login") {
    evening.olle.claims["sub"] = "per";
    evening.hub.maker.renew_token(evening.olle);
    CHECK(evening.ask() == "person_mismatch");
  }
  SECTION("a login for another key") {
    evening.olle.claims["nonce"] = "x";
    evening.hub.maker.renew_token(evening.olle);
    CHECK(evening.ask() == "nonce_mismatch");
  }
  SECTION("a signature by another key") {
    auto order = evening.sign(evening.view());
    order.signatures[0].sig[5] ^= 1;
    CHECK(evening.ask(order) == "bad_signature");
  }
  SECTION("an order that is no view") {
    orders::Outcome outcome;
    outcome.kind = orders::OutcomeKind::kUnable;
    outcome.resident = evening.hub.home.resident;
    outcome.group = evening.hub.home.group;
    outcome.window = {"now", must(civil::parse_date("2026-11-22"))};
    outcome.reason = "x";
    const auto order = evening.sign(outcome);
    const auto good = evening.offer(evening.sign(evening.view()));
    CHECK(evening.ask(order, good) == "type_not_supported");
  }
}

TEST_CASE("a forged view uses nothing up", "[view]") {
  Evening evening;
  const auto order = evening.sign(evening.view());
  auto forged = order;
  forged.signatures[0].sig[5] ^= 1;
  CHECK(evening.ask(forged) == "bad_signature");
  CHECK(evening.ask(order) == "open");
}

TEST_CASE("a view that names what the hub does not hold is refused", "[view][ENF-5]") {
  Evening evening;
  auto view = evening.view();
  SECTION("a newer bundle") {
    view.bundle.counter += 1;
    CHECK(evening.ask(view) == "bundle_older");
  }
  SECTION("a head that never was") {
    view.head = fakes::bytes32("head");
    CHECK(evening.ask(view) == "unknown_head");
  }
  SECTION("an older bundle and an older head of its own are good") {
    view.bundle.counter -= 1;
    const auto carin = evening.hub.maker.login("carin", orders::Role::kCareManager);
    const auto carl = evening.hub.maker.login("carl", orders::Role::kCareManager);
    const auto again = evening.hub.maker.successor(evening.hub.home_orders[3],
                                                   evening.hub.maker.wide_consent(evening.hub.home), {&carin, &carl});
    REQUIRE(evening.hub.take(again) == "accepted");
    CHECK(view.head != evening.hub.inside->desk.head());
    CHECK(evening.ask(view) == "open");
  }
}

TEST_CASE("no log entry, no picture", "[view][AUD-1]") {
  Evening evening;
  const auto order = evening.sign(evening.view());
  Json offer = evening.offer(order);
  SECTION("not in the log") {
    offer["inclusion"] = Json::array();
    CHECK(evening.ask(order, offer) == "no_ledger_entry");
  }
  SECTION("at another place") {
    offer["seq"] = offer["seq"].get<int>() - 1;
    CHECK(evening.ask(order, offer) == "no_ledger_entry");
  }
  SECTION("at another time") {
    offer["time"] = "2026-11-22T20:14:59Z";
    CHECK(evening.ask(order, offer) == "no_ledger_entry");
  }
  SECTION("another order's entry") {
    const Json other = evening.offer(evening.sign(evening.view()));
    offer["seq"] = other["seq"], offer["inclusion"] = other["inclusion"], offer["checkpoint"] = other["checkpoint"];
    CHECK(evening.ask(order, offer) == "no_ledger_entry");
  }
  SECTION("a checkpoint that the log has not signed") {
    offer["checkpoint"] = must(ledger::sign_checkpoint(evening.hub.log.checkpoint(), fakes::ed25519_key("other")));
    CHECK(evening.ask(order, offer) == "no_ledger_entry");
  }
  SECTION("another log's checkpoint") {
    auto checkpoint = evening.hub.log.checkpoint();
    checkpoint.origin = "log.example/other";
    offer["checkpoint"] = must(ledger::sign_checkpoint(checkpoint, fakes::ed25519_key("ledger")));
    CHECK(evening.ask(order, offer) == "no_ledger_entry");
  }
  SECTION("one bit of the proof changed") {
    auto hash = must(from_base64url_exact<32>(offer["inclusion"][0].get<std::string>()));
    hash[0] ^= 1;
    offer["inclusion"][0] = to_base64url(hash);
    CHECK(evening.ask(order, offer) == "no_ledger_entry");
  }
}

TEST_CASE("a log that shrinks or forks against any of the three who have seen it is refused", "[view][AUD-1]") {
  Evening evening;
  REQUIRE(evening.ask() == "open");  // the hub has seen a log now
  const auto seen = evening.hub.log.point();

  RelayLog forked(evening.hub.maker);
  forked.grow(30);
  const auto other = forked.point();
  orders::LogPoint longer{seen.size + 1000, fakes::bytes32("longer")};

  SECTION("the hub has seen another") {
    const auto order = evening.sign(evening.view());
    const auto seq = forked.enter(order);
    CHECK(evening.ask(order, forked.offer(order, seq, {})) == "ledger_forked");
  }
  SECTION("the hub has seen more") {
    RelayLog shorter(evening.hub.maker);
    const auto order = evening.sign(evening.view());
    const auto seq = shorter.enter(order);
    CHECK(evening.ask(order, shorter.offer(order, seq, {})) == "ledger_older");
  }
  SECTION("the viewer has seen more") {
    const auto before = evening.view();
    auto view = before;
    view.checkpoint = longer;
    const auto order = evening.sign(view);
    const auto seq = evening.hub.log.enter(order);
    auto known = order;
    std::get<orders::View>(known.payload.body).checkpoint = {};
    CHECK(evening.ask(order, evening.hub.log.offer(known, seq, seen)) == "ledger_older");
  }
  SECTION("the viewer has seen another") {
    auto view = evening.view();
    view.checkpoint = {3, fakes::bytes32("another")};
    const auto order = evening.sign(view);
    CHECK(evening.ask(order) == "ledger_forked");
  }
  SECTION("the municipality has seen another") {
    evening.hub.maker.bundle.version.counter += 1;
    evening.hub.maker.bundle.providers[0].checkpoint = forked.note();
    must(evening.hub.inside->trust.take_bundle(evening.hub.maker.bundle_envelope(), evening.hub.read()));
    CHECK(evening.ask() == "ledger_older");
    evening.hub.log.grow(100);
    evening.bundle_has_seen = {30, other.root};
    CHECK(evening.ask() == "ledger_forked");
  }
  SECTION("the municipality has seen the same") {
    evening.hub.maker.bundle.version.counter += 1;
    evening.hub.maker.bundle.providers[0].checkpoint = evening.hub.log.note();
    evening.bundle_has_seen = evening.hub.log.point();
    must(evening.hub.inside->trust.take_bundle(evening.hub.maker.bundle_envelope(), evening.hub.read()));
    evening.viewer_has_seen = evening.hub.log.point();
    CHECK(evening.ask() == "open");
  }
  SECTION("what the hub has seen outlives a restart") {
    evening.hub.reopen();
    const auto order = evening.sign(evening.view());
    const auto seq = forked.enter(order);
    CHECK(evening.ask(order, forked.offer(order, seq, {})) == "ledger_forked");
  }
}

TEST_CASE("without a checkpoint of the log in the bundle nobody looks", "[view][AUD-1][ENF-5]") {
  Evening evening;
  REQUIRE(evening.ask() == "open");
  evening.hub.maker.bundle.version.counter += 1;
  SECTION("the provider has none") { evening.hub.maker.bundle.providers[0].checkpoint.reset(); }
  SECTION("the provider is not in it") { evening.hub.maker.bundle.providers.clear(); }
  must(evening.hub.inside->trust.take_bundle(evening.hub.maker.bundle_envelope(), evening.hub.read()));
  CHECK(evening.ask() == "bundle_missing");
}

TEST_CASE("a log begins anew when the bundle names a new epoch, and not otherwise", "[view][AUD-1]") {
  Evening evening;
  must(evening.hub.inside->store.save_checkpoint({std::uint64_t{1} << 52, fakes::bytes32("a log too long to be")}));
  const auto ask = [&] {
    const auto order = evening.sign(evening.view());
    return evening.ask(order, evening.hub.log.offer(order, evening.hub.log.enter(order), {}));
  };
  REQUIRE(ask() == "ledger_older");
  auto& bundle = evening.hub.maker.bundle;
  bundle.version.counter += 1;
  must(evening.hub.inside->trust.take_bundle(evening.hub.maker.bundle_envelope(), evening.hub.read()));
  CHECK(ask() == "ledger_older");
  bundle.version.counter += 1;
  bundle.providers[0].epoch = 2;
  must(evening.hub.inside->trust.take_bundle(evening.hub.maker.bundle_envelope(), evening.hub.read()));
  CHECK(ask() == "open");
  evening.hub.reopen();
  CHECK(evening.ask() == "open");
  RelayLog forked(evening.hub.maker);
  forked.grow(60);
  const auto order = evening.sign(evening.view());
  CHECK(evening.ask(order, forked.offer(order, forked.enter(order), {})) == "ledger_forked");
}

TEST_CASE("a refused log is not remembered", "[view][AUD-1]") {
  Evening evening;
  REQUIRE(evening.ask() == "open");
  const auto seen = must(evening.hub.inside->store.checkpoint());
  const auto order = evening.sign(evening.view());
  RelayLog forked(evening.hub.maker);
  forked.grow(30);
  const auto judged = evening.judge(order, forked.offer(order, forked.enter(order), {}));
  CHECK_FALSE(judged.log_seen);
  CHECK(must(evening.hub.inside->store.checkpoint()) == seen);
}

TEST_CASE("an offer is read strictly", "[view]") {
  Evening evening;
  const Json good = evening.offer(evening.sign(evening.view()));
  REQUIRE(parse_offer(good.dump()));
  const auto refused = [&](const std::function<void(Json&)>& change) {
    Json offer = good;
    change(offer);
    const auto parsed = parse_offer(offer.dump());
    return !parsed && parsed.error().reason == "malformed";
  };
  for (const auto& [name, value] : good.items()) {
    INFO(name);
    CHECK(refused([&, key = name](Json& offer) { offer.erase(key); }));
    CHECK(refused([&, key = name](Json& offer) { offer[key] = nullptr; }));
  }
  CHECK(refused([](Json& offer) { offer["extra"] = 1; }));
  CHECK(refused([](Json& offer) { offer["seq"] = -1; }));
  CHECK(refused([](Json& offer) { offer["time"] = "2026-11-22 20:15:00Z"; }));
  CHECK(refused([](Json& offer) { offer["inclusion"] = Json::array({"AAAA"}); }));
  CHECK(refused([](Json& offer) { offer["inclusion"] = Json::array({1}); }));
  CHECK(refused([](Json& offer) { offer["inclusion"] = std::vector<std::string>(65, to_base64url(ByteArray<32>{})); }));
  CHECK(refused([](Json& offer) { offer["consistency"].erase("viewer"); }));
  CHECK(refused([](Json& offer) { offer["consistency"]["extra"] = Json::array(); }));
  CHECK_FALSE(parse_offer(good.dump() + " x"));
  CHECK_FALSE(parse_offer(std::string(kMaxOfferBytes + 1, ' ')));
  CHECK_FALSE(parse_offer(""));
}
