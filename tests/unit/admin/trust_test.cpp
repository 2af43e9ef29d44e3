#include "relay/admin/trust.h"

#include <catch2/catch.hpp>

#include "common/ledger/checkpoint.h"
#include "common/orders/device_documents.h"
#include "tests/unit/admin/log_kit.h"

namespace tillsyn::admin {
namespace {

const Instant kNow = *parse_instant("2026-11-22T20:15:00Z");
constexpr std::chrono::minutes kTick{10};

// The municipality's machine, with one identity provider of the test maker's two still silent unless told.
struct Machine {
  fakes::OrderMaker maker{kNow};
  FakeRelay relay;
  bool relay_answers = true;
  std::map<std::string, Result<std::string>> jwks;
  LastReplays replays;
  HomesFiles homes;
  Revocations revoked;
  std::vector<std::string> new_epochs;
  Report report;
  Instant now = kNow;

  Machine() {
    for (const auto& issuer : maker.issuers) jwks.insert_or_assign(issuer.url(), Json{{"keys", {issuer.jwk()}}}.dump());
    relay.log.add_seen("log_opened", kNow - std::chrono::hours(1));
  }

  Result<orders::Bundle> next(const orders::Bundle* previous = nullptr) {
    report = {};
    homes.clear();
    const TrustSources sources{[this](const orders::Issuer& issuer) { return jwks.at(issuer.issuer); },
                               [this](const orders::Provider&) -> Result<std::unique_ptr<Relay>> {
                                 if (!relay_answers)
                                   return Error{Code::kUnavailable, "fetch", "the relay does not answer"};
                                 return std::unique_ptr<Relay>(std::make_unique<LentRelay>(relay));
                               },
                               revoked, new_epochs};
    return next_bundle(maker.root_list, previous, sources, replays, now, homes, report);
  }

  orders::Bundle must_next(const orders::Bundle* previous = nullptr) {
    auto made = next(previous);
    REQUIRE(made.ok());
    return std::move(*made);
  }

  // The bundle of an hour ago, so that today's logins are under keys that count already.
  orders::Bundle an_hour_ago() {
    now = kNow - std::chrono::hours(1);
    auto made = must_next();
    now = kNow;
    return made;
  }

  bool alarmed(const std::string& about) const {
    return std::any_of(report.alarms.begin(), report.alarms.end(),
                       [&](const std::string& alarm) { return alarm.find(about) != std::string::npos; });
  }

  // A home in the log as the relay enters it.
  fakes::Home furnish() {
    const auto device_key = fakes::p256_key("device");
    const fakes::Home home{.hub = device_key.public_key().thumbprint_text()};
    for (const auto& order : maker.staff_grants()) relay.accept(order, kNow);
    for (const auto& order : maker.home_orders(home, device_key.public_key())) {
      relay.accept(order, kNow);
      if (orders::type_name(order.payload.body) == std::string("assignment"))
        relay.handed.back().countersign =
            orders::seal(orders::DeviceKind::kCountersign,
                         orders::format(orders::Countersign{home.hub, order.hash, kNow}), device_key);
    }
    return home;
  }
};

const orders::ProviderState& solna(const orders::Bundle& bundle) {
  return *bundle.provider(fakes::OrderMaker::kProvider);
}

ledger::Checkpoint checkpoint_in(const orders::Bundle& bundle, const Machine& machine) {
  return *ledger::open_checkpoint(*solna(bundle).checkpoint, machine.maker.root_list.providers.front().ledger_key);
}

TEST_CASE("a bundle holds the keys, the log as replayed, and the homes as judged", "[admin][AUD-1]") {
  Machine machine;
  const auto earlier = machine.an_hour_ago();
  const auto home = machine.furnish();
  const auto bundle = machine.must_next(&earlier);
  INFO((machine.report.alarms.empty() ? "" : machine.report.alarms.front()));
  CHECK(machine.report.alarms.empty());
  CHECK(earlier.version.counter == 1);
  CHECK(bundle.version.counter == 2);
  CHECK(bundle.expires_at == kNow + std::chrono::days(7));
  CHECK(bundle.key(machine.maker.issuers[0].url(), machine.maker.issuers[0].kid()) != nullptr);
  CHECK(checkpoint_in(bundle, machine).size == machine.relay.log.texts.size());
  REQUIRE(solna(bundle).hubs.size() == 1);
  CHECK(solna(bundle).hubs[0].group == home.group);
  CHECK(solna(bundle).hubs[0].count == 1);
  CHECK(solna(bundle).homes_root != orders::homes_root({}));
}

TEST_CASE("the bundle opens under the root list, and under no other key", "[admin]") {
  Machine machine;
  const auto bundle = machine.must_next();
  const auto sealed = seal_bundle(bundle, machine.maker.root_list, fakes::ed25519_key("bundle"));
  REQUIRE(sealed.ok());
  CHECK(orders::open_bundle(*sealed, machine.maker.root_list).ok());
  const auto foreign = seal_bundle(bundle, machine.maker.root_list, fakes::ed25519_key("somebody"));
  REQUIRE_FALSE(foreign.ok());
  CHECK(foreign.error().reason == "bundle_key");
}

TEST_CASE("a root list that has run out makes no bundle", "[admin]") {
  Machine machine;
  machine.now = machine.maker.root_list.expires_at;
  const auto made = machine.next();
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().reason == "root_list_expired");
}

TEST_CASE("a previous bundle from the future stops the work: the clock is wrong", "[admin]") {
  Machine machine;
  const auto bundle = machine.must_next();
  machine.now -= std::chrono::hours(1);
  const auto made = machine.next(&bundle);
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().reason == "clock");
}

TEST_CASE("an issuer that is silent, empty or broken keeps its last good keys and holds up nobody", "[admin][IAM-1]") {
  Machine machine;
  const std::string silent = machine.maker.issuers[0].url();
  const auto first = machine.must_next();
  for (const Result<std::string>& answer :
       {Result<std::string>(Error{Code::kUnavailable, "fetch", "does not answer"}),
        Result<std::string>(std::string("{\"keys\":[]}")), Result<std::string>(std::string("<html>"))}) {
    machine.jwks.insert_or_assign(silent, answer);
    machine.now += kTick;
    const auto next = machine.must_next(&first);
    const auto* key = next.key(silent, machine.maker.issuers[0].kid());
    REQUIRE(key != nullptr);
    CHECK(key->not_before == kNow);
    CHECK_FALSE(key->not_after);
    CHECK(machine.alarmed("kept"));
    CHECK(checkpoint_in(next, machine).size == 1);
  }
}

TEST_CASE("a relay that is silent keeps the last checkpoint for seven days, and no longer", "[admin][AUD-1]") {
  Machine machine;
  auto bundle = machine.must_next();
  const auto note = solna(bundle).checkpoint;
  machine.relay_answers = false;
  for (int day = 1; day < 7; ++day) {
    machine.now = kNow + std::chrono::days(day);
    bundle = machine.must_next(&bundle);
    CHECK(solna(bundle).checkpoint == note);
    CHECK(machine.alarmed("is kept until"));
  }
  machine.now = kNow + std::chrono::days(7);
  bundle = machine.must_next(&bundle);
  CHECK_FALSE(solna(bundle).checkpoint);
  CHECK(machine.alarmed("more than 7 days"));
}

TEST_CASE("a log that comes back after its checkpoint ran out must still continue it", "[admin][AUD-1]") {
  Machine machine;
  machine.relay.log.add_seen("login", kNow);
  auto bundle = machine.must_next();
  machine.relay_answers = false;
  machine.now = kNow + std::chrono::days(8);
  bundle = machine.must_next(&bundle);
  machine.relay_answers = true;
  machine.relay.log.texts.pop_back();
  machine.relay.log.add_seen("logout", kNow);
  bundle = machine.must_next(&bundle);
  CHECK_FALSE(solna(bundle).checkpoint);
  CHECK(machine.alarmed("the past was changed"));
}

TEST_CASE("a log that does not replay keeps its last good checkpoint and is said", "[admin][AUD-1]") {
  Machine machine;
  for (int i = 0; i < 6; ++i) machine.relay.log.add_seen(i % 2 == 0 ? "login" : "logout", kNow);
  const auto first = machine.must_next();
  REQUIRE(machine.report.alarms.empty());
  machine.now += kTick;
  auto& log = machine.relay.log;

  SECTION("an entry was rewritten and the log signed anew") {
    log.texts[3].replace(log.texts[3].find("log"), 3, "LOG");
  }
  SECTION("an entry became another, in good form, and the log was signed anew") {
    std::swap(log.texts[3], log.texts[5]);
  }
  SECTION("the log shrank") { log.texts.resize(4); }
  SECTION("the log was begun anew") {
    log.texts.clear();
    log.add_seen("log_opened", kNow);
  }
  SECTION("a newer entry is dated before the others") { log.add_seen("login", kNow - std::chrono::hours(2)); }
  SECTION("the checkpoint promises more than there is") {
    auto longer = log;
    longer.add_seen("login", kNow);
    machine.relay.signed_note = longer.note();
  }
  SECTION("the checkpoint is over other entries") {
    auto other = log;
    other.texts.back() = other.texts.front();
    machine.relay.signed_note = other.note();
  }
  SECTION("the checkpoint is another log's") {
    auto other = log;
    other.origin = "log.example/elsewhere";
    machine.relay.signed_note = other.note();
  }
  const auto next = machine.must_next(&first);
  CHECK(solna(next).checkpoint == solna(first).checkpoint);
  CHECK(machine.alarmed("does not replay"));
  CHECK(next.version.counter == 2);
}

TEST_CASE("an entry dated before a replay that did not see it is said", "[admin][AUD-1]") {
  Machine machine;
  const auto first = machine.must_next();
  machine.now += kTick;
  machine.relay.log.add_seen("login", kNow - std::chrono::minutes(30));
  const auto next = machine.must_next(&first);
  CHECK(machine.alarmed("entry 1 was not there at 2026-11-22T20:15:00Z and is dated 2026-11-22T19:45:00Z"));
  CHECK(checkpoint_in(next, machine).size == 2);

  machine.now += kTick;
  machine.relay.log.add_seen("logout", machine.now);
  machine.must_next(&next);
  CHECK(machine.report.alarms.empty());
  machine.now += kTick;
  machine.relay.log.add_seen("login", machine.now + kTick);
  machine.must_next(&next);
  CHECK(machine.alarmed("after now"));
}

TEST_CASE("orders that are not what the log says count nothing", "[admin][AUD-1]") {
  Machine machine;
  const auto earlier = machine.an_hour_ago();
  machine.furnish();
  const auto honest = machine.must_next(&earlier);
  REQUIRE(solna(honest).hubs.size() == 1);
  auto& handed = machine.relay.handed;
  const auto by_type = [&](const std::string& type) {
    return std::find_if(handed.begin(), handed.end(), [&](const HandedOrder& item) {
      return orders::type_name(orders::parse_order(item.order)->payload.body) == type;
    });
  };

  SECTION("an order is kept back") {
    handed.erase(by_type("consent"));
    machine.must_next(&earlier);
    CHECK(machine.alarmed("keeps back the consent order"));
  }
  SECTION("an order never went through the log") {
    handed.push_back(*by_type("consent"));
    handed.back().seq = 0;
    machine.must_next(&earlier);
    CHECK(machine.alarmed("that is not in the log"));
  }
  SECTION("an order is dated otherwise than the log says") {
    by_type("assignment")->time += std::chrono::hours(1);
    const auto bundle = machine.must_next(&earlier);
    CHECK(machine.alarmed("that is not in the log"));
    CHECK(solna(bundle).hubs.empty());
  }
  SECTION("a countersign is not the hub's") {
    const auto assignment = by_type("assignment");
    const auto order = orders::parse_order(assignment->order);
    const auto hub = *orders::hub_of(order->payload.body);
    assignment->countersign =
        orders::seal(orders::DeviceKind::kCountersign, orders::format(orders::Countersign{hub, order->hash, kNow}),
                     fakes::p256_key("another"));
    const auto bundle = machine.must_next(&earlier);
    CHECK(machine.alarmed("countersign"));
    CHECK(solna(bundle).hubs.empty());
  }
  SECTION("there is no countersign") {
    by_type("assignment")->countersign.reset();
    const auto bundle = machine.must_next(&earlier);
    CHECK(solna(bundle).hubs.empty());
    CHECK(solna(bundle).homes_root == orders::homes_root({}));
  }
  SECTION("an order is no order") {
    handed.front().order = "{}";
    machine.must_next(&earlier);
    CHECK(machine.alarmed("cannot be read"));
  }
  SECTION("a signature was exchanged") {
    auto value = *parse_json(by_type("assignment")->order);
    value["signatures"][0]["sig"] = (*parse_json(by_type("device")->order))["signatures"][0]["sig"];
    by_type("assignment")->order = canonical_json(value);
    const auto bundle = machine.must_next(&earlier);
    CHECK(machine.alarmed("does not hold: bad_signature"));
    CHECK(solna(bundle).hubs.empty());
  }
  SECTION("an order is newer than the checkpoint: it counts next time") {
    handed.push_back(handed.back());
    handed.back().seq = machine.relay.log.texts.size();
    const auto bundle = machine.must_next(&earlier);
    CHECK(machine.report.alarms.empty());
    CHECK(solna(bundle).homes_root == solna(honest).homes_root);
  }
  SECTION("the orders do not come: homes and checkpoint stay as they were, so that they stay of one moment") {
    machine.relay.orders_fail = Error{Code::kUnavailable, "relay", "the relay does not answer"};
    machine.relay.log.add_seen("hub_lost", kNow);
    const auto bundle = machine.must_next(&honest);
    CHECK(machine.alarmed("is kept until"));
    CHECK(solna(bundle).homes_root == solna(honest).homes_root);
    CHECK(solna(bundle).checkpoint == solna(honest).checkpoint);
    CHECK(machine.homes.empty());
  }
}

TEST_CASE("what is revoked counts from the next bundle on, once, under a listed issuer only", "[admin][IAM-6]") {
  Machine machine;
  const auto earlier = machine.an_hour_ago();
  const auto home = machine.furnish();
  const std::string issuer = machine.maker.issuers[0].url();
  machine.revoked = {{{issuer, "olle"}}, {{issuer, "k1"}}, {home.hub}};
  const auto bundle = machine.must_next(&earlier);
  CHECK(bundle.is_person_revoked({issuer, "olle"}, kNow));
  CHECK_FALSE(bundle.is_person_revoked({issuer, "olle"}, kNow - std::chrono::seconds(1)));
  CHECK(bundle.is_key_revoked(issuer, "k1"));
  CHECK(bundle.is_hub_revoked(home.hub));
  CHECK(solna(bundle).hubs.empty());
  machine.now = kNow + std::chrono::hours(1);
  const auto next = machine.must_next(&bundle);
  CHECK(next.revoked_persons.size() == 1);
  CHECK(next.is_person_revoked({issuer, "olle"}, kNow));
  CHECK(next.revoked_keys.size() == 1);
  CHECK(next.revoked_hubs.size() == 1);
  machine.revoked = {{{"https://another.example", "olle"}}, {}, {}};
  CHECK(machine.next(&bundle).error().reason == "unknown_issuer");
}

TEST_CASE("a log that has begun anew is taken only with a new epoch", "[admin][AUD-1]") {
  Machine machine;
  machine.relay.log.add_seen("hub_lost", kNow);
  const auto first = machine.must_next();
  machine.relay.log = {};
  machine.relay.log.add_seen("log_opened", kNow);
  machine.now += kTick;
  const auto kept = machine.must_next(&first);
  CHECK(solna(kept).checkpoint == solna(first).checkpoint);
  CHECK(machine.alarmed("solna"));
  machine.new_epochs = {"solna"};
  const auto anew = machine.must_next(&kept);
  CHECK(solna(anew).epoch == solna(first).epoch + 1);
  CHECK(solna(anew).checkpoint != solna(first).checkpoint);
  machine.new_epochs = {"nobody"};
  CHECK(machine.next(&anew).error().reason == "wrong_provider");
}

TEST_CASE("revocations stay from bundle to bundle", "[admin]") {
  Machine machine;
  const auto earlier = machine.an_hour_ago();
  const auto home = machine.furnish();
  auto first = machine.must_next(&earlier);
  REQUIRE(solna(first).hubs.size() == 1);
  first.revoked_hubs.push_back(home.hub);
  first.revoked_persons.push_back({{machine.maker.issuers[0].url(), "olle"}, kNow});
  machine.now += kTick;
  const auto next = machine.must_next(&first);
  CHECK(next.is_hub_revoked(home.hub));
  CHECK(next.revoked_persons.size() == 1);
  CHECK(solna(next).hubs.empty());
}

TEST_CASE("when logs last replayed is read back as written, and nothing else is", "[admin]") {
  const LastReplays replays{{"solna", {kNow, "a\nnote"}}, {"nord", {kNow, "b"}}};
  const auto read = parse_last_replays(format_last_replays(replays));
  REQUIRE(read.ok());
  CHECK(read->at("solna").time == kNow);
  CHECK(read->at("solna").checkpoint == "a\nnote");
  for (const char* bad : {"", "{}", "{\"format\":2,\"replayed\":[]}", "{\"format\":1,\"replayed\":[{}]}",
                          "{\"format\":1,\"replayed\":[{\"provider\":\"a\",\"time\":\"now\",\"checkpoint\":\"\"}]}"})
    CHECK_FALSE(parse_last_replays(bad).ok());
}

}  // namespace
}  // namespace tillsyn::admin
