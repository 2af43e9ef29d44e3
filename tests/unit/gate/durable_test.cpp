// What lies on disk: store, event log, trust, windows.
#include <sqlite3.h>

#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;

namespace {

const Instant kNow = must(parse_instant("2026-11-22T20:15:00Z"));

orders::Event event_of(const char* kind, const char* reason = nullptr) {
  orders::Event event;
  event.kind = kind;
  if (reason != nullptr) event.reason = reason;
  return event;
}

std::string why(const Result<bool>& taken) {
  if (!taken) return taken.error().reason;
  return *taken ? "taken" : "held already";
}

std::vector<std::string> window_events(HubInside& hub) {
  std::vector<std::string> out;
  for (const auto& event : hub.events())
    if (event.kind.starts_with("window_"))
      out.push_back(event.kind + ' ' + civil::format_date(event.window->date) +
                    (event.reason ? ' ' + *event.reason : std::string()));
  return out;
}

}  // namespace

TEST_CASE("events are numbered, chained by hash and signed by the device key, over restarts too",
          "[log][AUD-1][LOG-14]") {
  HubInside hub(kNow);
  for (int i = 0; i < 3; ++i) must(hub.inside->log.append(event_of("fault"), hub.read()));
  hub.reopen();
  hub.hand->now.synchronised = false;
  hub.hand->now.utc += 1h;
  must(hub.inside->log.append(event_of("clock_untrusted", "stepped"), hub.read()));
  std::optional<orders::Hash> before;
  std::int64_t n = 0;
  for (const auto& stored : must(hub.inside->store.events_after(0, 100))) {
    const auto payload = must(orders::open(orders::DeviceKind::kEvent, stored.envelope, hub.keys->device_key()));
    const auto event = must(orders::parse_event(payload));
    CHECK(event.n == ++n);
    CHECK(event.prev == before);
    CHECK(event.clock_trusted == (n <= 3));
    CHECK(event.hub == hub.keys->hub());
    before = orders::document_hash(orders::DeviceKind::kEvent, payload);
  }
  CHECK(n == 4);
}

TEST_CASE("refusals of one kind by one signer fill one entry a minute, of many signers a bounded number",
          "[log][LOG-15][AVA-6]") {
  HubInside hub(kNow);
  const auto n = [&] { return hub.events().size(); };
  for (int i = 0; i < 10; ++i) {
    must(hub.inside->log.append_counted(event_of("view_refused", "no_grant"), "olle", hub.read()));
    must(hub.inside->log.append_counted(event_of("view_refused", "no_grant"), "pia", hub.read()));
    must(hub.inside->log.append_counted(event_of("view_refused", "replayed"), "pia", hub.read()));
  }
  CHECK(n() == 3);
  must(hub.inside->log.flush(hub.read()));
  CHECK(n() == 3);
  hub.pass(1min);
  must(hub.inside->log.flush(hub.read()));
  CHECK(n() == 6);
  CHECK(hub.events().back().count == 9);
  hub.pass(1min);
  must(hub.inside->log.flush(hub.read()));
  CHECK(n() == 6);
  for (int i = 0; i < 1000; ++i)
    must(hub.inside->log.append_counted(event_of("view_refused", "no_grant"), std::to_string(i), hub.read()));
  CHECK(n() <= 6 + EventLog::kMaxKinds + 1);
}

TEST_CASE("what the relay has is kept thirty days, what it has not is kept, and the last stays", "[log][ENF-8]") {
  HubInside hub(kNow);
  for (int i = 0; i < 5; ++i) must(hub.inside->log.append(event_of("fault"), hub.read()));
  auto& store = hub.inside->store;
  must(store.acknowledge_events(3, kNow + 29 * 24h));
  CHECK(must(store.events_after(0, 100)).size() == 5);
  must(store.acknowledge_events(3, kNow + 31 * 24h));
  CHECK(must(store.events_after(0, 100)).size() == 3);
  must(store.acknowledge_events(5, kNow + 31 * 24h));
  CHECK(must(store.events_after(0, 100)).size() == 1);
  hub.reopen();
  CHECK(must(hub.inside->store.events_acknowledged()) == 5);
  must(hub.inside->log.append(event_of("fault"), hub.read()));
  CHECK(hub.events().back().n == 6);
}

TEST_CASE("everything the store is told is there when it is opened again", "[store][AVA-3]") {
  HubInside hub(kNow);
  auto* store = &hub.inside->store;
  const orders::LogPoint point{77, fakes::bytes32("root")};
  const orders::WindowOnDate window{"w1", must(civil::parse_date("2026-11-22"))};
  must(store->save_checkpoint({3, {}}));
  must(store->save_checkpoint(point));
  must(store->add_open_window(window));
  must(store->save_floor(kNow));
  must(store->add_head(fakes::bytes32("head")));
  must(store->add_head(hub.inside->desk.head()));
  must(store->save_link_key({fakes::p256_key("link").public_key().point(), 4}));
  must(store->add_waiting(fakes::bytes32("order"), "text"));
  hub.reopen();
  store = &hub.inside->store;
  CHECK(must(store->checkpoint()) == point);
  CHECK(must(store->open_windows()) == std::vector{window});
  CHECK(must(store->floor()) == kNow);
  CHECK(must(store->knows_head(fakes::bytes32("head"))));
  CHECK_FALSE(must(store->knows_head(fakes::bytes32("other"))));
  CHECK(must(store->link_key())->n == 4);
  CHECK(must(store->waiting()) == std::vector<std::string>{"text"});
  must(store->remove_open_window(window));
  CHECK(must(store->open_windows()).empty());
}

TEST_CASE("an order whose event cannot be written is not accepted after a restart either", "[store][AVA-3]") {
  HubInside hub(kNow);
  hub.settle(15min);
  const auto events = hub.events().size();
  const auto slots = hub.inside->desk.slots();
  {
    auto transaction = must(hub.inside->store.begin());
    must(hub.inside->store.add_accepted(hub.maker.grant("nils", orders::Role::kOperator)));
    must(hub.inside->log.append(event_of("order_accepted"), hub.read()));
  }  // power fails here
  hub.reopen();
  CHECK(hub.events().size() == events);
  CHECK(hub.inside->desk.slots() == slots);
}

TEST_CASE("a root list is taken when the fleet root signed it and it is newer", "[trust][IAM-10]") {
  HubInside hub(kNow);
  auto& trust = hub.inside->trust;
  CHECK(why(trust.take_root_list(hub.maker.root_list_envelope(), hub.read())) == "taken");
  CHECK(why(trust.take_root_list(hub.maker.root_list_envelope(), hub.read())) == "held already");
  hub.maker.root_list.version -= 1;
  CHECK(why(trust.take_root_list(hub.maker.root_list_envelope(), hub.read())) == "root_list_older");
  hub.maker.root_list.version += 2;
  orders::TrustEnvelope one{orders::format_root_list(hub.maker.root_list), {}};
  orders::add_signature(one, orders::TrustKind::kRootList, fakes::ed25519_key("root 1"));
  CHECK(why(trust.take_root_list(orders::format_trust_envelope(one), hub.read())) == "bad_signature");
  CHECK(why(trust.take_root_list("{}", hub.read())) == "malformed");
  hub.maker.root_list.issued_at = kNow + 365 * 24h;
  hub.maker.root_list.expires_at = kNow + 700 * 24h;
  CHECK(why(trust.take_root_list(hub.maker.root_list_envelope(), hub.read())) == "root_list_ahead");
  hub.hand->now.synchronised = false;
  hub.hand->now.utc -= 1h;
  CHECK(why(trust.take_root_list(hub.maker.root_list_envelope(), hub.read())) == "clock_untrusted");
  hub.reopen();
  CHECK(hub.inside->trust.root_list()->version == 3);
}

TEST_CASE("a bundle is taken when a bundle key signed it, it is newer, and not of the future", "[trust][ENF-4]") {
  HubInside hub(kNow);
  CHECK(why(hub.inside->trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "bundle_missing");
  must(hub.inside->trust.take_root_list(hub.maker.root_list_envelope(), hub.read()));
  auto& trust = hub.inside->trust;
  CHECK(why(trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "taken");
  CHECK(why(trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "held already");
  SECTION("older") {
    hub.maker.bundle.version.counter -= 1;
    CHECK(why(trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "bundle_older");
  }
  SECTION("the same number, another content") {
    hub.maker.bundle.revoked_hubs.push_back(hub.keys->hub());
    CHECK(why(trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "slot_taken");
  }
  SECTION("of the future") {
    hub.maker.bundle.version.counter += 1;
    hub.maker.bundle.issued_at = kNow + 2min;
    CHECK(why(trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "bundle_ahead");
    hub.hand->now.synchronised = false;
    hub.hand->now.utc -= 1h;
    CHECK(why(trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "clock_untrusted");
    CHECK(trust.bundle()->version.counter == 12);
  }
  SECTION("by a key that the next root list no longer names") {
    hub.maker.root_list.version += 1;
    hub.maker.root_list.bundle_keys = {fakes::ed25519_key("new bundle").public_key()};
    CHECK(why(trust.take_root_list(hub.maker.root_list_envelope(), hub.read())) == "taken");
    CHECK(trust.bundle() == nullptr);
    CHECK(why(trust.take_bundle(hub.maker.bundle_envelope(), hub.read())) == "bad_signature");
  }
  SECTION("older than one by a key that is gone since: what that revoked stays revoked") {
    hub.maker.root_list.version += 1;
    hub.maker.root_list.bundle_keys = {fakes::ed25519_key("new bundle").public_key()};
    REQUIRE(why(trust.take_root_list(hub.maker.root_list_envelope(), hub.read())) == "taken");
    hub.maker.bundle.version.counter -= 1;
    orders::TrustEnvelope older{orders::format_bundle(hub.maker.bundle), {}};
    orders::add_signature(older, orders::TrustKind::kBundle, fakes::ed25519_key("new bundle"));
    CHECK(why(trust.take_bundle(orders::format_trust_envelope(older), hub.read())) == "bundle_older");
    hub.reopen();
    CHECK(why(hub.inside->trust.take_bundle(orders::format_trust_envelope(older), hub.read())) == "bundle_older");
  }
  hub.reopen();
  const auto* held = hub.inside->trust.bundle();
  CHECK((held == nullptr || held->version.counter == 12));
}

TEST_CASE("no clock is believed that is before the bundle or a time once trusted", "[trust][ENF-4]") {
  HubInside hub(kNow);
  must(hub.inside->trust.take_root_list(hub.maker.root_list_envelope(), hub.read()));
  CHECK(must(hub.inside->floor()) == hub.maker.root_list.issued_at);
  must(hub.inside->trust.take_bundle(hub.maker.bundle_envelope(), hub.read()));
  CHECK(must(hub.inside->floor()) == hub.maker.bundle.issued_at);
  must(hub.inside->store.save_floor(kNow));
  hub.reopen();
  CHECK(must(hub.inside->floor()) == kNow);
}

TEST_CASE("windows are logged as the schedule opens and closes them, once each", "[windows][LOG-2][LOG-3]") {
  HubInside hub(kNow);
  hub.settle(15min);
  const auto observe = [&] { must(hub.inside->windows.observe(hub.inside->standing(), hub.read())); };
  for (int i = 0; i < 3; ++i) observe();
  CHECK(window_events(hub) == std::vector<std::string>{"window_opened 2026-11-22"});
  CHECK(hub.events().back().resident == hub.home.resident);
  SECTION("also when the hub was off at the end") {
    hub.pass(2h);
    hub.reopen();
    observe();
    CHECK(window_events(hub).back() == "window_closed 2026-11-22");
  }
  SECTION("also when it restarts in the middle") {
    hub.reopen();
    observe();
    CHECK(window_events(hub).size() == 1);
    hub.pass(15min);
    observe();
    CHECK(window_events(hub) == std::vector<std::string>{"window_opened 2026-11-22", "window_closed 2026-11-22"});
  }
  SECTION("with the reason when it is not the schedule that ends it") {
    const auto carin = hub.maker.login("carin", orders::Role::kCareManager);
    const orders::Consent withdrawn{hub.home.resident, hub.home.home, hub.home.group, std::nullopt};
    REQUIRE(hub.take(hub.maker.successor(hub.home_orders[3], withdrawn, {&carin})) == "accepted");
    observe();
    CHECK(window_events(hub).back() == "window_closed 2026-11-22 consent_withdrawn");
  }
  SECTION("and again when the clock is trusted anew") {
    hub.hand->now.utc += 5s;
    observe();
    CHECK(window_events(hub).back() == "window_closed 2026-11-22 clock_untrusted");
    hub.hand->now.utc -= 5s;
    hub.hand->now.synchronised = false;
    hub.read();
    hub.pass(1s);
    hub.hand->now.synchronised = true;
    observe();
    CHECK(window_events(hub).size() == 3);
  }
}

TEST_CASE("an order on disk that is not what was accepted is a fault of the store, and nothing is opened by it",
          "[store][AUD-1][ENF-4]") {
  HubInside hub(kNow);
  hub.settle(15min);
  const auto carin = hub.maker.login("carin", orders::Role::kCareManager);
  const orders::Consent withdrawn{hub.home.resident, hub.home.home, hub.home.group, std::nullopt};
  REQUIRE(hub.take(hub.maker.successor(hub.home_orders[3], withdrawn, {&carin})) == "accepted");
  hub.inside.reset();
  const auto change = [&](const char* sql) {
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open((hub.folder.path() + "/gate.db").c_str(), &raw) == SQLITE_OK);
    REQUIRE(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_changes(raw) == 1);
    sqlite3_close(raw);
  };
  SECTION("a letter of it") {
    change(
        "UPDATE accepted SET payload = replace(payload, '\"withdrawn\":true', '\"withdrawn\":tru ') "
        "WHERE payload LIKE '%\"withdrawn\":true%'");
  }
  SECTION("another window") {
    change(
        "UPDATE accepted SET payload = replace(payload, '\"minutes\":15', '\"minutes\":75') "
        "WHERE payload LIKE '%\"minutes\":15%'");
  }
  SECTION("its text is gone") {
    change("UPDATE accepted SET payload = NULL WHERE payload LIKE '%\"withdrawn\":true%'");
  }
  SECTION("all of it is gone") { change("DELETE FROM accepted WHERE payload LIKE '%\"withdrawn\":true%'"); }
  const auto opened = Home::open({hub.folder.path() + "/gate.db", hub.maker.fleet_root, {}}, *hub.keys);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Code::kIo);
}
