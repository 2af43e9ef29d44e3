#include <signal.h>

#include <fstream>
#include <thread>

#include "firmware/gate/retired.h"
#include "tests/unit/gate/program_rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using ipc::MessageType;
using orders::Role;

namespace {

orders::Pause pause_of(const fakes::Home& home, Instant until) {
  return {home.resident, home.home, home.group, until, "hospital"};
}
orders::Release release_of(const fakes::Home& home) {
  return {home.hub, home.resident, home.home, home.group, "moves"};
}
orders::Consent withdrawal_of(const fakes::Home& home) { return {home.resident, home.home, home.group, std::nullopt}; }

// A desk at which the install team tests as well.
struct TestRig : DeskRig {
  fakes::Staff inga = hub.maker.login("inga", Role::kInstaller);
  fakes::Staff pia = hub.maker.login("pia", Role::kPlanner);
  fakes::Staff carin = hub.maker.login("carin", Role::kCareManager);

  void pause() { REQUIRE(hub.take(hub.maker.order(pause_of(hub.home, hub.maker.now + 48h), {&pia})) == "accepted"); }
  void hold() { hub.inside->desk.presence().held(hub.boot); }

  std::string test_offer(const Browser& browser, const fakes::Staff& by, const std::string& from = "bedroom") {
    auto view =
        hub.maker.view(hub.home, browser.key.public_key(), desk->challenges().fresh(hub.boot), hub.inside->desk.head());
    view.is_test = true;
    view.camera = from;
    auto payload = hub.maker.payload(std::move(view), {&by});
    payload.common.id = fakes::random_id("test " + std::to_string(tests_++));
    const auto order = hub.maker.order(payload, {&by});
    return hub.log.offer(order, hub.log.enter(order), must(hub.inside->store.checkpoint())).dump();
  }

  // "open", or why not.
  std::string test(Browser& browser, const fakes::Staff& by, const std::string& from = "bedroom") {
    must(desk->take_offer(test_offer(browser, by, from), *hub.inside, hub.read(), hub.boot));
    light();
    const auto said = answer();
    if (said.open) browser.take(said);
    return said.reason.value_or("open");
  }

 private:
  int tests_ = 0;
};

bool holds_camera(const Night& night) {
  const auto path = night.programs.folder.path() + "/camera";
  const auto fds = "/proc/" + std::to_string(night.programs.gate_process()) + "/fd";
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(fds, gone)) {
    std::error_code closed;
    if (std::filesystem::read_symlink(entry.path(), closed) == path) return true;
  }
  return false;
}

bool within(std::chrono::milliseconds patience, const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  return holds();
}

orders::Event event(Night& night, const std::string& kind) {
  return must(orders::parse_event(night.link->payload(MessageType::kEvent, "\\\"kind\\\":\\\"" + kind + "\\\"")));
}

Json check(Night& night, bool light) {
  night.link->send(MessageType::kCheckWanted, Bytes{static_cast<std::uint8_t>(light ? 1 : 0)});
  return Json::parse(text_of(night.link->await(MessageType::kCheck)));
}

}  // namespace

TEST_CASE("a pause, a release and a withdrawal each end a running view at once", "[views][ENF-5]") {
  TestRig rig;
  Browser browser;
  REQUIRE(rig.ask(browser).open);
  const auto& home = rig.hub.home;
  const auto& maker = rig.hub.maker;
  SECTION("pause") { CHECK(rig.hub.take(maker.order(pause_of(home, maker.now + 1h), {&rig.pia}, 7)) == "accepted"); }
  SECTION("release") {
    CHECK(rig.hub.take(maker.order(release_of(home), {&rig.inga, &rig.carin}, 1)) == "accepted");
    CHECK(std::string(rig.hub.inside->desk.state()) == "released");
  }
  SECTION("withdrawal") { CHECK(rig.hub.take(maker.order(withdrawal_of(home), {&rig.carin}, 9)) == "accepted"); }
  rig.judge();
  CHECK(rig.camera->state->open == 0);
  CHECK(rig.desk->count() == 0);
  CHECK(rig.last_event() == "view_ended withdrawn");
}

TEST_CASE("a pause that is not good ends nothing", "[views][ENF-5][IAM-5]") {
  TestRig rig;
  Browser browser;
  REQUIRE(rig.ask(browser).open);
  const auto& home = rig.hub.home;
  const auto& maker = rig.hub.maker;
  const auto per = maker.login("per", Role::kPlanner);
  const auto long_pause = pause_of(home, maker.now + 72h + 1s);
  CHECK(rig.hub.take(maker.order(long_pause, {&rig.pia})) == "refused not_two_people");
  CHECK(rig.hub.take(maker.order(long_pause, {&rig.pia, &rig.pia})) == "refused not_two_people");
  CHECK(rig.hub.take(maker.order(long_pause, {&rig.pia, &rig.olle})) == "refused wrong_role");
  CHECK(rig.hub.take(maker.order(pause_of(home, maker.now + 1h), {&rig.pia, &per})) == "refused wrong_role");
  CHECK(rig.hub.take(maker.order(pause_of(home, maker.now + 1h), {&rig.olle})) == "refused wrong_role");
  fakes::Home other = home;
  other.resident = fakes::random_id("other");
  CHECK(rig.hub.take(maker.order(pause_of(other, maker.now + 1h), {&rig.pia})) == "refused wrong_resident");
  CHECK(rig.hub.take(maker.order(release_of(other), {&rig.inga, &rig.carin}, 2)) == "refused wrong_resident");
  CHECK(rig.hub.take(maker.order(release_of(home), {&rig.inga}, 2)) == "refused not_two_people");
  other = home;
  other.hub = fakes::p256_key("other").public_key().thumbprint_text();
  CHECK(rig.hub.take(maker.order(release_of(other), {&rig.inga, &rig.carin}, 2)) == "refused wrong_hub");
  rig.judge();
  CHECK(rig.desk->count() == 1);
  CHECK(rig.hub.take(maker.order(long_pause, {&rig.pia, &per})) == "accepted");
  rig.judge();
  CHECK(rig.desk->count() == 0);
}

TEST_CASE("after a release the hub lists what stood in the home, and takes no more for it", "[orders]") {
  TestRig rig;
  const auto before = rig.hub.inside->desk.slots().size();
  const auto release = rig.hub.maker.order(release_of(rig.hub.home), {&rig.inga, &rig.carin}, 2);
  CHECK(rig.hub.take(release) == "accepted");
  CHECK(rig.hub.inside->desk.slots().size() == before);
  CHECK(rig.hub.inside->desk.release()->hash == release.hash);
  const auto pause = rig.hub.maker.order(pause_of(rig.hub.home, rig.hub.maker.now + 1h), {&rig.pia});
  CHECK(rig.hub.take(pause) == "waiting no_assignment");
  rig.hub.reopen();
  CHECK(rig.hub.inside->desk.release()->hash == release.hash);
}

TEST_CASE("a test-view needs an installer, a hand on the button, and no supervision under way",
          "[views][ENF-9][INS-4]") {
  TestRig rig;
  Browser browser;
  rig.hold();
  CHECK(rig.test(browser, rig.inga) == "not_paused");
  rig.pause();
  SECTION("by an installer, once a hold") {
    CHECK(rig.test(browser, rig.inga) == "open");
    CHECK(rig.last_event() == "view_started test_view");
    Browser second;
    CHECK(rig.test(second, rig.inga) == "no_presence");
    CHECK(rig.camera->state->open == 1);
  }
  SECTION("by nobody else") {
    CHECK(rig.test(browser, rig.olle) == "wrong_role");
    CHECK(rig.test(browser, rig.pia) == "wrong_role");
    CHECK(rig.camera->state->opened == 0);
  }
  SECTION("not later than two minutes after the hold") {
    rig.hub.pass(120s);
    CHECK(rig.test(browser, rig.inga) == "no_presence");
  }
  SECTION("not by another camera") { CHECK(rig.test(browser, rig.inga, "hall") == "wrong_camera"); }
  SECTION("not after a withdrawal") {
    REQUIRE(rig.hub.take(rig.hub.maker.order(withdrawal_of(rig.hub.home), {&rig.carin}, 2)) == "accepted");
    CHECK(rig.test(browser, rig.inga) == "consent_withdrawn");
  }
  SECTION("not after the release") {
    REQUIRE(rig.hub.take(rig.hub.maker.order(release_of(rig.hub.home), {&rig.inga, &rig.carin}, 2)) == "accepted");
    CHECK(rig.test(browser, rig.inga) == "no_assignment");
  }
  SECTION("not by a clock that is not to be trusted") {
    rig.hub.hand->now.utc += 1h;
    CHECK(rig.test(browser, rig.inga) == "clock_untrusted");
  }
  SECTION("and no supervision comes of it") { CHECK(rig.ask(browser).reason == "paused"); }
}

TEST_CASE("a test-view lasts ten minutes at most, and ends when supervision begins", "[views][ENF-9]") {
  TestRig rig;
  Browser browser;
  rig.pause();
  rig.hold();
  REQUIRE(rig.test(browser, rig.inga) == "open");
  CHECK(rig.answer().open->until_ms == (rig.hub.maker.now + 10min).time_since_epoch().count());
  SECTION("ten minutes") {
    for (int i = 0; i < 60; ++i) {
      rig.pass(10s - 100ms);
      rig.hear(browser);
      CHECK(rig.desk->count() == 1);
      rig.hub.pass(100ms);
    }
    rig.judge();
    CHECK(rig.last_event() == "view_ended window_end");
  }
  SECTION("resumed") {
    const auto held = *rig.hub.inside->desk.book().at("pause", rig.hub.home.resident);
    const orders::Resume resume{rig.hub.home.resident, rig.hub.home.home, rig.hub.home.group};
    REQUIRE(rig.hub.take(rig.hub.maker.successor(held, resume, {&rig.pia})) == "accepted");
    rig.judge();
    CHECK(rig.last_event() == "view_ended withdrawn");
  }
  SECTION("the installer's right is revoked") {
    const auto rut = rig.hub.maker.login("rut", Role::kRightsAdmin);
    REQUIRE(rig.hub.take(rig.hub.maker.order(orders::Revoke{rig.inga.person, rig.hub.maker.now, "left"}, {&rut}, 9)) ==
            "accepted");
    rig.judge();
    CHECK(rig.last_event() == "view_ended withdrawn");
  }
  CHECK(rig.camera->state->open == 0);
}

TEST_CASE("before acceptance a test-view needs no consent, and acceptance ends it", "[views][ENF-9][INS-4]") {
  TestRig rig;
  Browser browser;
  // The hub is assigned anew: nothing is accepted any more.
  const auto again =
      rig.hub.maker.successor(rig.hub.home_orders[1], fakes::OrderMaker::assignment(rig.hub.home), {&rig.inga});
  rig.hold();
  REQUIRE(rig.hub.take(again) == "accepted");
  CHECK(rig.test(browser, rig.inga) == "no_presence");  // that hold is used
  rig.hold();
  REQUIRE(rig.test(browser, rig.inga) == "open");
  const auto accepted = rig.hub.maker.successor(rig.hub.home_orders[2],
                                                fakes::OrderMaker::acceptance(rig.hub.home, again.hash), {&rig.inga});
  REQUIRE(rig.hub.take(accepted) == "accepted");
  rig.judge();
  CHECK(rig.last_event() == "view_ended withdrawn");
  CHECK(rig.camera->state->open == 0);
}

TEST_CASE("on the real programs a pause closes the camera within a second, and a resume lets it open again",
          "[gate][program][ENF-5]") {
  Night night;
  Browser browser;
  REQUIRE(night.ask(browser).open);
  REQUIRE(within(5s, [&] { return holds_camera(night); }));
  const auto pause = night.maker.order(pause_of(night.home, night.maker.now + 1h), {&night.pia});
  night.link->send(MessageType::kOrder, pause.text);
  CHECK(within(1s, [&] { return !holds_camera(night); }));
  CHECK(event(night, "view_ended").reason == "withdrawn");
  CHECK(night.receipt().verdict == orders::Verdict::Kind::kAccepted);
  CHECK(night.ask(browser).reason == "paused");
  const orders::Resume resume{night.home.resident, night.home.home, night.home.group};
  night.accept(night.maker.successor(pause, resume, {&night.carin}));
  Browser again;
  CHECK(night.ask(again).reason.value_or("open") == "open");
}

TEST_CASE("a released hub is dark at once, and a held button ends its key for good", "[gate][program][INS-6]") {
  Night night;
  Browser browser;
  REQUIRE(night.ask(browser).open);
  REQUIRE(within(5s, [&] { return holds_camera(night); }));
  const auto inga = night.maker.login("inga", Role::kInstaller);
  night.link->send(MessageType::kOrder, night.maker.order(release_of(night.home), {&inga, &night.carin}, 2).text);
  CHECK(within(1s, [&] { return !holds_camera(night); }));
  CHECK(night.receipt().verdict == orders::Verdict::Kind::kAccepted);
  CHECK(night.link->poll().at("state") == "released");
  const auto key = night.programs.folder.path() + "/state/device.key";
  CHECK(std::filesystem::exists(key));
  const pid_t before = night.programs.gate_process();
  night.programs.hold_button();
  CHECK(within(10s, [&] { return !std::filesystem::exists(key); }));
  REQUIRE(within(20s, [&] { return night.programs.gate_process() != before && night.programs.gate_process() != 0; }));
  night.link.emplace(night.programs);
  CHECK(night.link->hub == night.home.hub);
  const Json status = night.link->poll();
  CHECK(status.at("state") == "released");
  CHECK(status.at("faults").dump().find("keys_destroyed") != std::string::npos);
  CHECK(status.at("slots").size() == 5);
  CHECK(event(night, "keys_destroyed").reason == "button_held");
  // Nothing more is taken, answered or signed; what it has said is forgotten by none.
  night.link->send(MessageType::kOrder, night.withdrawal().text);
  Bytes acknowledged;
  append_u64(acknowledged, static_cast<std::uint64_t>(status.at("events").get<std::int64_t>()));
  night.link->send(MessageType::kEventsAcked, acknowledged);
  CHECK(within(5s, [&] { return night.link->poll().at("events_acked") == status.at("events"); }));
  CHECK(night.link->poll().at("events") == status.at("events"));
  CHECK_FALSE(std::filesystem::exists(key));
}

TEST_CASE("a held button ends no hub that is in service, or that an assignment waits to put in service",
          "[gate][program][INS-6]") {
  Night night;
  const auto key = night.programs.folder.path() + "/state/device.key";
  const auto inga = night.maker.login("inga", Role::kInstaller);
  night.programs.hold_button();
  CHECK(event(night, "button_held").reason == std::nullopt);  // the one for the assignment
  CHECK(event(night, "button_held").reason == std::nullopt);
  CHECK(std::filesystem::exists(key));
  const auto release = night.maker.order(release_of(night.home), {&inga, &night.carin}, 2);
  night.accept(release);
  night.link->send(MessageType::kOrder,
                   night.maker.successor(release, fakes::OrderMaker::assignment(night.home), {&inga}).text);
  // The hold of before may still count for it; if not, this one does.
  if (night.receipt().reason == "no_presence") night.programs.hold_button();
  CHECK(within(10s, [&] { return night.link->poll().at("state") == "assigned"; }));
  CHECK(std::filesystem::exists(key));
}

TEST_CASE("a view in the dark is stopped within a second, and told", "[gate][program][ENF-7]") {
  Night night;
  Browser browser;
  REQUIRE(night.ask(browser).open);
  REQUIRE(within(5s, [&] { return holds_camera(night); }));
  // The light goes out whatever the fuse says to it.
  std::filesystem::path light = night.programs.folder.path() + "/light";
  REQUIRE(within(1s, [&] {
    std::fstream(light, std::ios::in | std::ios::out).put('0');
    return !holds_camera(night);
  }));
  CHECK(event(night, "view_ended").reason == "fault");
  CHECK(event(night, "verdict_broken").reason == "light_dark");
  Browser again;
  CHECK(night.ask(again).reason.value_or("open") == "open");
}

TEST_CASE("gate says how it finds the hub, and tries the light when asked", "[gate][program]") {
  Night night;
  Json found = check(night, false);
  CHECK(found.at("state") == "accepted");
  CHECK(found.at("open") == true);
  CHECK(found.at("light") == "dark");
  CHECK(found.at("light_tried").is_null());
  CHECK(found.at("cameras").at(0).at("there") == true);
  CHECK(found.at("cameras").at(0).at("identifier") == "ACDEFH");
  CHECK(found.at("button_held_at").is_string());
  CHECK(found.at("last_view").is_null());
  CHECK(found.at("faults").empty());
  found = check(night, true);
  CHECK(found.at("light_tried") == true);
  CHECK_FALSE(holds_camera(night));
  CHECK(night.programs.light_goes_out());
  CHECK(check(night, true).at("light_tried").is_null());  // once a minute, whoever asks
  std::filesystem::remove(night.programs.folder.path() + "/camera");
  found = check(night, false);
  CHECK(found.at("cameras").at(0).at("there") == false);
  CHECK(found.at("faults").dump() == R"(["camera_missing"])");
}

TEST_CASE("a hub that has lost its key without destroying it does not become another", "[gate][INS-2]") {
  HubInside hub(must(parse_instant("2026-11-22T20:15:00Z")));
  hub.settle(15min);
  const board::FileKeyPlace keys(hub.folder.path());
  const auto store = hub.folder.path() + "/gate.db";
  CHECK_FALSE(must(Retired::find(keys, store)));
  CHECK_FALSE(must(Retired::find(keys, hub.folder.path() + "/nothing.db")));
  must(keys.destroy());
  CHECK_FALSE(Retired::find(keys, store).ok());
  CHECK(Retired::find(keys, store).error().reason == "key_store");
}

TEST_CASE("the store of a hub that has ended does not end the key of another", "[gate][INS-6]") {
  HubInside hub(must(parse_instant("2026-11-22T20:15:00Z")));
  hub.settle(15min);
  orders::Event event;
  event.kind = "keys_destroyed";
  event.reason = "button_held";
  must(hub.inside->log.append(event, hub.read()));
  const Folder other;
  const board::FileKeyPlace keys(other.path());
  must(keys.open());
  CHECK(Retired::find(keys, hub.folder.path() + "/gate.db").error().reason == "key_store");
  CHECK(*keys.has_key());
}

TEST_CASE("a key whose end was said is ended at the next start", "[gate][INS-6]") {
  HubInside hub(must(parse_instant("2026-11-22T20:15:00Z")));
  hub.settle(15min);
  orders::Event event;
  event.kind = "keys_destroyed";
  event.reason = "button_held";
  must(hub.inside->log.append(event, hub.read()));
  const board::FileKeyPlace keys(hub.folder.path());
  REQUIRE(*keys.has_key());  // the power went before it was done
  CHECK(must(Retired::find(keys, hub.folder.path() + "/gate.db")) == hub.keys->hub());
  CHECK_FALSE(*keys.has_key());
}
