#include <sys/socket.h>

#include "firmware/fuse/feed.h"
#include "tests/unit/gate/views_rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;

namespace {

std::optional<std::uint8_t> heard_by_fuse(const DeskRig& rig) {
  std::uint8_t byte = 0;
  return recv(rig.fuse_side.get(), &byte, 1, MSG_DONTWAIT) == 1 ? std::optional(byte) : std::nullopt;
}

orders::Consent withdrawn(const DeskRig& rig) {
  return {rig.hub.home.resident, rig.hub.home.home, rig.hub.home.group, std::nullopt};
}

}  // namespace

TEST_CASE("the light first, then the camera, then the answer, then pictures", "[views][ENF-7][LOG-5][LOG-11]") {
  DeskRig rig;
  Browser browser;
  must(rig.desk->take_offer(rig.offer(browser), *rig.hub.inside, rig.hub.read(), rig.hub.boot));
  CHECK(heard_by_fuse(rig) == fuse::kLightWanted);
  CHECK(rig.camera->state->opened == 0);
  rig.receive();
  CHECK(rig.answers.empty());
  rig.light();
  CHECK(rig.camera->state->open == 1);
  const auto answer = rig.answer();
  browser.take(answer);
  CHECK(answer.open->until_ms == (rig.hub.maker.now + 15min).time_since_epoch().count());
  CHECK(answer.mono == rig.hub.hand->now.mono.count());
  const auto events = rig.hub.events();
  CHECK(events.back().kind == "view_started");
  CHECK(events.back().who == rig.olle.person);
  CHECK(events.back().resident == rig.hub.home.resident);
  CHECK(events.back().camera == "bedroom");
  rig.picture(true);
  rig.send();
  CHECK(rig.decrypt_all(browser).size() == 1);
}

TEST_CASE("what is burnt into the picture is the assignment's, and the viewer's own id", "[views][VID-4]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  const auto& settings = rig.camera->state->settings;
  CHECK(settings.caption.identifier == "ACDEFH");
  CHECK(settings.caption.code == "K7TR");
  CHECK(settings.caption.viewer == "olle");
  CHECK(settings.utc_text() == "2026-11-22 20:15:00Z");
}

TEST_CASE("no light, no camera", "[views][ENF-7]") {
  DeskRig rig;
  Browser browser;
  SECTION("the fuse says so") {
    must(rig.desk->take_offer(rig.offer(browser), *rig.hub.inside, rig.hub.read(), rig.hub.boot));
    rig.light(false);
  }
  SECTION("the fuse says nothing") {
    must(rig.desk->take_offer(rig.offer(browser), *rig.hub.inside, rig.hub.read(), rig.hub.boot));
    rig.pass(ViewDesk::kLightPatience);
  }
  SECTION("the fuse is gone") {
    rig.fuse_side.reset();
    must(rig.desk->take_offer(rig.offer(browser), *rig.hub.inside, rig.hub.read(), rig.hub.boot));
  }
  CHECK(rig.answer().reason == "camera_fault");
  CHECK(rig.camera->state->opened == 0);
  CHECK_FALSE(rig.desk->holds_camera());
  CHECK(rig.last_event() == "view_refused camera_fault");
}

TEST_CASE("without a fuse nothing opens", "[views][ENF-7]") {
  DeskRig rig(false);
  Browser browser;
  must(rig.desk->take_offer(rig.offer(browser), *rig.hub.inside, rig.hub.read(), rig.hub.boot));
  CHECK(rig.answer().reason == "camera_fault");
  CHECK(rig.camera->state->opened == 0);
}

TEST_CASE("a window that ends between light and camera stays closed", "[views][ENF-1]") {
  DeskRig rig;
  Browser browser;
  rig.hub.pass(15min - 50ms);
  must(rig.desk->take_offer(rig.offer(browser), *rig.hub.inside, rig.hub.read(), rig.hub.boot));
  rig.hub.pass(50ms);
  rig.light();
  CHECK(rig.answer().reason == "outside_window");
  CHECK(rig.camera->state->opened == 0);
}

TEST_CASE("a view ends with its window, whoever is watching, and no picture of the end or later leaves",
          "[views][ENF-2]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  for (int i = 0; i < 89; ++i) rig.pass(10s), rig.hear(browser);
  rig.pass(9900ms);
  rig.picture(true);
  rig.send();
  CHECK(rig.camera->state->open == 1);
  rig.hub.pass(100ms);  // the window's end
  rig.picture(true);
  rig.picture(true, 1ms);
  rig.send();
  rig.judge();
  CHECK(rig.camera->state->open == 0);
  CHECK(rig.last_event() == "view_ended window_end");
  rig.receive();
  CHECK(rig.stream_ends == 1);
  REQUIRE(rig.frames.size() == 3);
  const auto last = must(sframe::decode_frame(rig.frames.back()));
  CHECK(last.info.flags == sframe::kEnd);
  const auto end = static_cast<std::uint64_t>(rig.hub.hand->now.mono.count());
  CHECK(must(sframe::decode_frame(rig.frames[0])).info.capture_ms == end - 100);
  CHECK(must(sframe::decode_frame(rig.frames[1])).info.capture_ms == end - 1);
  CHECK(rig.decrypt_all(browser).back().plaintext.size() == 8);
}

TEST_CASE("a new schedule that closes earlier is the view's end, though it opens again before the gate looks",
          "[views][ENF-1][ENF-2]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  const auto pia = rig.hub.maker.login("pia", orders::Role::kPlanner);
  const auto per = rig.hub.maker.login("per", orders::Role::kPlanner);
  auto shorter = rig.hub.maker.open_schedule(rig.hub.home, 5min);
  auto again = shorter.schedule.windows.front();
  again.window.id = "again", again.window.start += 6min;
  shorter.schedule.windows.push_back(again);
  REQUIRE(rig.hub.take(rig.hub.maker.successor(rig.hub.home_orders[4], shorter, {&pia, &per})) == "accepted");
  rig.judge();
  CHECK(rig.camera->state->open == 1);
  rig.hub.pass(7min);
  rig.picture(true, 90s);  // taken when it was closed
  rig.send();
  rig.receive();
  CHECK(rig.frames.empty());
  rig.judge();
  CHECK(rig.last_event() == "view_ended window_end");
}

TEST_CASE("a view ends at once when what allowed it is gone", "[views][ENF-2][ENF-4][ENF-5]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  REQUIRE(rig.camera->state->open == 1);
  SECTION("consent withdrawn") {
    const auto carin = rig.hub.maker.login("carin", orders::Role::kCareManager);
    REQUIRE(rig.hub.take(rig.hub.maker.successor(rig.hub.home_orders[3], withdrawn(rig), {&carin})) == "accepted");
    rig.judge();
    CHECK(rig.last_event() == "view_ended withdrawn");
  }
  SECTION("the viewer's right revoked") {
    const auto rut = rig.hub.maker.login("rut", orders::Role::kRightsAdmin);
    REQUIRE(rig.hub.take(rig.hub.maker.order(orders::Revoke{rig.olle.person, rig.hub.maker.now, "left"}, {&rut}, 2)) ==
            "accepted");
    rig.judge();
    CHECK(rig.last_event() == "view_ended withdrawn");
  }
  SECTION("hub revoked by the next bundle") {
    rig.hub.maker.bundle.version.counter += 1;
    rig.hub.maker.bundle.revoked_hubs.push_back(rig.hub.home.hub);
    must(rig.hub.inside->trust.take_bundle(rig.hub.maker.bundle_envelope(), rig.hub.read()));
    rig.judge();
    CHECK(rig.last_event() == "view_ended withdrawn");
  }
  SECTION("clock stepped") {
    rig.hub.hand->now.utc += 5s;
    rig.judge();
    CHECK(rig.last_event() == "view_ended fault");
  }
  SECTION("link gone") {
    rig.link.reset();
    rig.port->receive();
    rig.judge();
    CHECK(rig.last_event() == "view_ended viewer_gone");
  }
  SECTION("upload lost") {
    must(rig.desk->stream_lost(browser.stream, *rig.hub.inside, rig.hub.read()));
    CHECK(rig.last_event() == "view_ended viewer_gone");
  }
  SECTION("upload lost after the window's end, which nobody has judged yet") {
    rig.hub.pass(1h);
    must(rig.desk->stream_lost(browser.stream, *rig.hub.inside, rig.hub.read()));
    CHECK(rig.last_event() == "view_ended window_end");
  }
  SECTION("camera fails") {
    rig.camera->state->failure = Error{Code::kUnavailable, "camera_fault", "gone"};
    rig.judge();
    CHECK(rig.hub.event_kinds()[rig.hub.event_kinds().size() - 2] == "view_ended");
    CHECK(rig.last_event() == "camera_fault");
    CHECK(rig.desk->has_camera_fault());
  }
  SECTION("the program is told to stop") {
    must(rig.desk->end_all("stopped", *rig.hub.inside, rig.hub.read()));
    CHECK(rig.last_event() == "view_ended stopped");
  }
  CHECK(rig.camera->state->open == 0);
  CHECK_FALSE(rig.desk->holds_camera());
}

TEST_CASE("fifteen seconds without a sign of life end the view", "[views][ENF-2]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  rig.pass(14s);
  rig.hear(browser);
  rig.pass(14900ms);
  CHECK(rig.camera->state->open == 1);
  rig.pass(100ms);
  CHECK(rig.camera->state->open == 0);
  CHECK(rig.last_event() == "view_ended viewer_gone");
}

TEST_CASE("signs of life that others make do not keep a view open", "[views]") {
  DeskRig rig;
  Browser browser;
  Browser thief;
  const auto answer = rig.ask(browser);
  Bytes life = browser.life();
  life[40] ^= 1;
  CHECK_FALSE(rig.desk->hear(life, rig.hub.hand->now.mono));
  CHECK_FALSE(rig.desk->hear(Bytes(10, 0), rig.hub.hand->now.mono));
  rig.pass(15s);
  CHECK(rig.camera->state->open == 0);
}

TEST_CASE("three may look at a time, each with a key and an encoder of its own; the fourth is told", "[views][VID-6]") {
  DeskRig rig;
  std::vector<Browser> browsers(4);
  for (int i = 0; i < 3; ++i) CHECK(rig.ask(browsers[static_cast<std::size_t>(i)]).open);
  CHECK(rig.camera->state->open == 3);
  CHECK(browsers[0].stream != browsers[1].stream);
  CHECK(rig.ask(browsers[3]).reason == "too_many_views");
  must(rig.desk->stream_lost(browsers[0].stream, *rig.hub.inside, rig.hub.read()));
  CHECK(rig.ask(browsers[3]).open);
}

TEST_CASE("a camera that cannot be opened is a fault until it can", "[views][LOG-7][LOG-8][LOG-9]") {
  DeskRig rig;
  Browser browser;
  rig.camera->state->fails_to_open = true;
  CHECK(rig.ask(browser).reason == "camera_fault");
  CHECK(rig.hub.event_kinds()[rig.hub.event_kinds().size() - 2] == "camera_fault");
  CHECK(rig.desk->has_camera_fault());
  rig.camera->state->fails_to_open = false;
  CHECK(rig.ask(browser).open);
  CHECK(rig.hub.event_kinds()[rig.hub.event_kinds().size() - 2] == "camera_restored");
  CHECK_FALSE(rig.desk->has_camera_fault());
}

TEST_CASE("a refusal is logged with who and why; like ones within a minute are counted", "[views][LOG-9][LOG-10]") {
  DeskRig rig;
  Browser browser;
  rig.hub.pass(15min);
  for (int i = 0; i < 5; ++i) CHECK(rig.ask(browser).reason == "outside_window");
  auto events = rig.hub.events();
  CHECK(events.back().kind == "view_refused");
  CHECK(events.back().reason == "outside_window");
  CHECK(events.back().who == rig.olle.person);
  CHECK(events.back().count == 1);
  const auto n = events.size();
  rig.hub.pass(60s);
  must(rig.hub.inside->log.flush(rig.hub.read()));
  events = rig.hub.events();
  REQUIRE(events.size() == n + 1);
  CHECK(events.back().count == 4);
  CHECK(events.back().who == rig.olle.person);
}

TEST_CASE("when the store fails every camera is closed, and what there was to log is kept for later",
          "[views][AVA-3]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  const auto unlogged = rig.desk->abandon();
  CHECK(rig.camera->state->open == 0);
  REQUIRE(unlogged.size() == 1);
  CHECK(unlogged[0].kind == "view_ended");
  CHECK(unlogged[0].reason == "fault");
  rig.desk->refuse_without_store(rig.offer(browser), *rig.hub.inside, rig.hub.read());
  CHECK(rig.answer().reason == "store_fault");
}

TEST_CASE("an offer that makes no sense gets no answer, and a log entry", "[views]") {
  DeskRig rig;
  must(rig.desk->take_offer("{}", *rig.hub.inside, rig.hub.read(), rig.hub.boot));
  rig.receive();
  CHECK(rig.answers.empty());
  CHECK(rig.last_event() == "view_refused malformed");
}

// ---- pictures on their way ----

TEST_CASE("CTR begins at 0 and rises by one, whatever is left out", "[views][VID-2]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  rig.picture(false);  // nothing can be decoded before a key frame
  rig.picture(true);
  rig.picture(false);
  rig.picture(false, 500ms);  // too late: everything waits for a key frame now
  rig.picture(false);
  rig.send();
  CHECK(rig.camera->state->key_frames_asked == 1);
  rig.picture(true);
  rig.picture(false);
  rig.send();
  const auto opened = rig.decrypt_all(browser);
  REQUIRE(opened.size() == 4);
  for (std::size_t i = 0; i < opened.size(); ++i) CHECK(opened[i].ctr == i);
  CHECK((must(sframe::decode_frame(rig.frames[2])).info.flags & sframe::kKeyFrame) != 0);
}

TEST_CASE("when link does not read, pictures are left out up to the next key frame, and CTR has no gap",
          "[views][VID-5]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  for (int i = 0; i < 300; ++i) {
    rig.picture(i % 30 == 0, 0ms, 60'000);
    rig.send();
    rig.hub.pass(66ms);
  }
  rig.picture(true, 0ms, 77);  // the last one, known by its size
  const auto patience = std::chrono::steady_clock::now() + 10s;
  const auto has_last = [&] { return !rig.frames.empty() && rig.frames.back().size() < 200; };
  while (!has_last() && std::chrono::steady_clock::now() < patience) rig.receive(), rig.send();
  const auto opened = rig.decrypt_all(browser);
  CHECK(opened.size() < 100);
  int gaps = 0;
  for (std::size_t i = 1; i < opened.size(); ++i) {
    CHECK(opened[i].ctr == i);
    const auto before = must(sframe::decode_frame(rig.frames[i - 1])).info;
    const auto info = must(sframe::decode_frame(rig.frames[i])).info;
    CHECK(info.capture_ms > before.capture_ms);
    if (info.capture_ms - before.capture_ms <= 66) continue;
    ++gaps;
    CHECK((info.flags & sframe::kKeyFrame) != 0);
  }
  CHECK(gaps > 0);
}

TEST_CASE("a picture larger than a frame may be is left out, and a key frame asked for", "[views]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  rig.picture(true);
  rig.picture(false, 0ms, 200'000);
  rig.picture(false);
  rig.picture(true);
  rig.send();
  const auto opened = rig.decrypt_all(browser);
  REQUIRE(opened.size() == 2);
  CHECK(opened[1].ctr == 1);
  CHECK(rig.camera->state->key_frames_asked == 1);
}

TEST_CASE("a picture echoes the newest sign of life that had come when it was taken, no later one", "[views][VID-5]") {
  DeskRig rig;
  Browser browser;
  rig.ask(browser);
  rig.picture(true);
  rig.hub.pass(50ms);
  rig.hear(browser);
  rig.hub.pass(50ms);
  rig.hear(browser);
  rig.picture(true, 51ms);
  rig.picture(true, 50ms);
  rig.picture(true, 1ms);
  rig.picture(true, 0ms);
  rig.send();
  const auto opened = rig.decrypt_all(browser);
  REQUIRE(opened.size() == 5);
  const auto echo = [&](std::size_t i) { return read_u64(opened[i].plaintext); };
  CHECK(echo(0) == 0);
  CHECK(echo(1) == 0);
  CHECK(echo(2) == 1);
  CHECK(echo(3) == 1);
  CHECK(echo(4) == 2);
}
