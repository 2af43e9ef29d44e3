#include <fstream>

#include "firmware/gate/check.h"
#include "firmware/gate/pipeline_watch.h"
#include "firmware/gate/preflight.h"
#include "firmware/gate/take_down.h"
#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using orders::Role;

namespace {

const Instant kNow = must(parse_instant("2026-11-22T20:15:00Z"));

// A hub whose window "w1" opens at 21:30Z (22:30 in Stockholm), and the parts of its board in a folder.
struct Evening : HubInside {
  Evening() : HubInside(kNow) {
    settle(15min);
    const auto pia = maker.login("pia", Role::kPlanner);
    const auto per = maker.login("per", Role::kPlanner);
    REQUIRE(take(maker.successor(home_orders[4], fakes::OrderMaker::schedule(home), {&pia, &per})) == "accepted");
    board.name = "bench";
    board.cameras = {{"bedroom", "room", folder.path() + "/camera", 0, 0, 0}};
    board.camera_paths = {folder.path() + "/camera"};
    board.light = {"file", folder.path() + "/light", false};
    board.button = {"fifo", folder.path() + "/button", 0};
    put("camera", "");
    put("light", "0\n");
  }
  void put(const char* name, const char* text) const { std::ofstream(folder.path() + "/" + name) << text; }
  Hardware hardware() const { return {board, folder.path()}; }

  // What is said at each minute that says something, "21:00 w1: camera_missing".
  std::vector<std::string> said_until(Instant end, const Hardware& parts, bool has_fuse = true) {
    Preflight preflight(parts);
    std::vector<std::string> lines;
    for (; hand->now.utc < end; pass(1min)) {
      for (const auto& finding : preflight.due(inside->standing(), read(), has_fuse)) {
        std::string line = format_instant(hand->now.utc).substr(11, 5) + " " + finding.window.window + ":";
        for (const auto& fault : finding.faults) line += " " + fault;
        lines.push_back(line);
      }
    }
    return lines;
  }

  board::BoardDescription board;
};

using Lines = std::vector<std::string>;
const Instant kEnd = kNow + 2h;

}  // namespace

TEST_CASE("a window is looked at 30 and 10 minutes before it opens, each once", "[preflight]") {
  Evening hub;
  const auto parts = hub.hardware();
  CHECK(hub.said_until(kEnd, parts) == Lines{"21:00 w1:", "21:20 w1:"});
}

TEST_CASE("what will keep the camera closed is said before the window, by name", "[preflight][ENF-4][VID-7]") {
  Evening hub;
  SECTION("no camera") {
    std::filesystem::remove(hub.folder.path() + "/camera");
    CHECK(hub.said_until(kEnd, hub.hardware()) == Lines{"21:00 w1: camera_missing", "21:20 w1: camera_missing"});
  }
  SECTION("no light") {
    std::filesystem::remove(hub.folder.path() + "/light");
    CHECK(hub.said_until(kEnd, hub.hardware()) == Lines{"21:00 w1: light_fault", "21:20 w1: light_fault"});
  }
  SECTION("no fuse") {
    CHECK(hub.said_until(kEnd, hub.hardware(), false) == Lines{"21:00 w1: no_fuse", "21:20 w1: no_fuse"});
  }
  SECTION("no time") {
    auto source = std::make_unique<HandClock>(kNow);
    source->now.synchronised = false;
    hub.hand = source.get();
    hub.clock = std::make_unique<board::Clock>(std::move(source), Instant());
    CHECK(hub.said_until(kEnd, hub.hardware()) == Lines{"21:00 w1: clock_untrusted", "21:20 w1: clock_untrusted"});
  }
  SECTION("a bundle that will have run out by then, though it is good now") {
    auto& bundle = hub.maker.bundle;
    ++bundle.version.counter;
    bundle.expires_at = kNow + 75min;
    REQUIRE(must(hub.inside->trust.take_bundle(hub.maker.bundle_envelope(), hub.read())));
    CHECK(hub.said_until(kNow + 70min, hub.hardware()) ==
          Lines{"21:00 w1: bundle_expired", "21:20 w1: bundle_expired"});
  }
}

TEST_CASE("a window that will not be held is not looked at", "[preflight]") {
  Evening hub;
  std::filesystem::remove(hub.folder.path() + "/camera");
  const auto pia = hub.maker.login("pia", Role::kPlanner);
  const auto carin = hub.maker.login("carin", Role::kCareManager);
  const auto& home = hub.home;
  SECTION("paused") {
    const orders::Pause pause{home.resident, home.home, home.group, kNow + 24h, "hospital"};
    REQUIRE(hub.take(hub.maker.order(pause, {&pia})) == "accepted");
  }
  SECTION("withdrawn") {
    const orders::Consent withdrawn{home.resident, home.home, home.group, std::nullopt};
    REQUIRE(hub.take(hub.maker.order(withdrawn, {&carin}, 2)) == "accepted");
  }
  CHECK(hub.said_until(kEnd, hub.hardware()).empty());
}

TEST_CASE("a hub that starts between the looks makes up for the first, one that starts in the window for none",
          "[preflight]") {
  Evening hub;
  const auto parts = hub.hardware();
  hub.pass(50min);
  CHECK(hub.said_until(kNow + 52min, parts) == Lines{"21:05 w1:"});
  hub.pass(25min);
  CHECK(hub.said_until(kNow + 85min, parts).empty());
}

TEST_CASE("the pipeline is held against the verdict, and what cannot be seen counts as the worse",
          "[guard][ENF-1][ENF-7]") {
  const Error blind{Code::kUnavailable, "descriptors", "shut out"};
  const auto word = [](bool runs, Result<bool> held, Result<std::optional<bool>> lit) {
    const char* broken = disagreement(runs, held, lit);
    return std::string(broken == nullptr ? "" : broken);
  };
  CHECK(word(false, false, std::optional(false)).empty());
  CHECK(word(true, true, std::optional(true)).empty());
  CHECK(word(true, true, std::optional<bool>()).empty());  // a board without a light
  CHECK(word(true, false, std::optional(true))
            .empty());  // a camera that opens in a moment, or has failed: the view's to tell
  CHECK(word(false, true, std::optional(false)) == "camera_held");
  CHECK(word(false, true, std::optional(true)) == "camera_held");
  CHECK(word(false, blind, std::optional(false)) == "camera_held");
  CHECK(word(true, true, std::optional(false)) == "light_dark");
  CHECK(word(true, false, std::optional(false)) == "light_dark");
  CHECK(word(true, true, blind) == "light_dark");
}

TEST_CASE("a camera is seen to be held while a descriptor of it is open, whatever holds it", "[guard][ENF-1]") {
  Evening hub;
  const auto parts = hub.hardware();
  CHECK_FALSE(must(parts.is_camera_held()));
  {
    const std::ifstream held(hub.folder.path() + "/camera");
    CHECK(must(parts.is_camera_held()));
  }
  CHECK_FALSE(must(parts.is_camera_held()));
}

TEST_CASE("the light is read where it shines", "[guard][ENF-7]") {
  Evening hub;
  const auto parts = hub.hardware();
  CHECK(must(parts.is_light_lit()) == false);
  hub.put("light", "1\n");
  CHECK(must(parts.is_light_lit()) == true);
  hub.put("light", "");
  CHECK_FALSE(parts.is_light_lit().ok());
  hub.board.light.kind = "none";
  CHECK(must(hub.hardware().is_light_lit()) == std::nullopt);
}

TEST_CASE("a released hub warns after 48 hours and ends its key after 72, if the warning has arrived",
          "[orders][INS-6]") {
  Evening hub;
  const auto inga = hub.maker.login("inga", Role::kInstaller);
  const auto carin = hub.maker.login("carin", Role::kCareManager);
  const auto release = hub.maker.order(
      orders::Release{hub.home.hub, hub.home.resident, hub.home.home, hub.home.group, "moves"}, {&inga, &carin}, 2);
  using Step = TakeDown::Step;
  TakeDown take_down;
  const auto at = [&](std::chrono::milliseconds age, std::int64_t acknowledged, const orders::Order* what,
                      board::ClockState clock = board::ClockState::kTrusted) {
    return take_down.judge(what, {hub.maker.now + age, age, clock}, acknowledged);
  };
  CHECK(at(100h, 1000, nullptr) == Step::kNothing);
  CHECK(at(48h - 1ms, 1000, &release) == Step::kNothing);
  CHECK(at(48h, 1000, &release, board::ClockState::kStepped) == Step::kNothing);
  CHECK(at(48h, 1000, &release) == Step::kWarn);
  take_down.warned(1001);
  CHECK(at(72h - 1ms, 2000, &release) == Step::kNothing);
  CHECK(at(72h, 1000, &release) == Step::kNothing);  // nobody has heard the warning
  CHECK(at(1000h, 1000, &release) == Step::kNothing);
  CHECK(at(72h, 1001, &release, board::ClockState::kCoastedTooLong) == Step::kNothing);
  CHECK(at(72h, 1001, &release) == Step::kDestroy);
  SECTION("a hub that is assigned anew is warned anew when it is released anew") {
    CHECK(at(72h, 1001, nullptr) == Step::kNothing);
    CHECK(at(80h, 1001, &release) == Step::kWarn);
  }
  SECTION("after a restart it warns again before it ends") {
    take_down = TakeDown();
    CHECK(at(80h, 1001, &release) == Step::kWarn);
    take_down.warned(1007);
    CHECK(at(80h, 1006, &release) == Step::kNothing);
    CHECK(at(80h, 1007, &release) == Step::kDestroy);
  }
}

TEST_CASE("what is said of the hub has what a technician asks for", "[cli]") {
  Evening hub;
  const auto parts = hub.hardware();
  const auto said = [&](std::vector<std::string> faults) {
    return Json::parse(
        check_text({hub.inside->desk, hub.inside->trust, parts, hub.read(), {}, {}, std::move(faults), {}}));
  };
  Json check = said({"light_fault"});
  CHECK(check.at("clock") == "trusted");
  CHECK(check.at("open") == false);
  CHECK(check.at("reason") == "outside_window");
  CHECK(check.at("next") == "2026-11-22T21:30:00Z");
  CHECK(check.at("bundle").at("counter") == hub.maker.bundle.version.counter);
  CHECK(check.at("free_bytes").get<std::uint64_t>() > 0);
  CHECK(check.at("faults") == Json::array({"light_fault"}));
  CHECK(check.at("cameras") == Json::array({{{"id", "bedroom"}, {"identifier", "ACDEFH"}, {"there", true}}}));
  std::filesystem::remove(hub.folder.path() + "/light");
  CHECK(Json::parse(check_text({hub.inside->desk, hub.inside->trust, hub.hardware(), hub.read(), {}, {}, {}, {}}))
            .at("light") == "fault");
}
