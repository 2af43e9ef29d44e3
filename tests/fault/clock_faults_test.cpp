#include <iostream>

#include "tests/fault/hub.h"

// A hub whose clock goes wrong, and one that is alone for a night. TILLSYN_FAULT_LONG=1: minute by minute.
using namespace tillsyn;
using namespace tillsyn::fault;
using namespace std::chrono_literals;
using ipc::MessageType;

namespace {

struct Clocked {
  explicit Clocked(property::Plan plan = open_now())
      : hub(folder.path(), folder.path() + "/state", std::nullopt, std::move(plan)) {
    hub.programs.start();
    hub.connect();
  }

  // The gate says of its clock whether it is to be believed.
  bool shows(bool trusted) {
    return until(
        [&] {
          const auto status = hub.link->poll();
          return status && (status->at("faults").dump().find("clock_") == std::string::npos) == trusted;
        },
        10s);
  }
  // The source steps, and then says that it is right: not believed before it does.
  void step(milliseconds offset, bool believed) {
    clock.set(offset, false, false);
    REQUIRE(shows(false));
    clock.set(offset, true, believed);
    if (believed) REQUIRE(shows(true));
  }
  void check() {
    hub.check();
    hub.count_pictures();
  }

  const OnOwnFolder folder;
  Hub hub;
  BelievedClock& clock = hub.clock;
};

struct Script {
  const char* name;
  milliseconds offset;
  bool believed;     // once the source says that it is right
  const char* seen;  // then
};

const std::vector<Script>& scripts() {
  static const auto since_1970 =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  static const std::vector<Script> all = {{"an hour ahead", 1h, true, "open"},
                                          {"three hours ahead", 3h, true, "outside_window"},
                                          {"an hour back", -1h, false, "clock_untrusted"},
                                          {"a year ahead", 24h * 365, true, "root_list_expired"},
                                          {"a year back", -24h * 365, false, "clock_untrusted"},
                                          {"1970", -since_1970, false, "clock_untrusted"}};
  return all;
}

}  // namespace

TEST_CASE("a clock that steps: closed within a second, and open again only if the time is believable and inside",
          "[fault][clock][ENF-1][ENF-4]") {
  for (int round = 0; round < times(1, 20); ++round) {
    for (const auto& script : scripts()) {
      INFO(script.name);
      Clocked home;
      home.hub.see();
      home.clock.set(script.offset, true, false);  // as after a suspend: the source has noticed nothing
      REQUIRE(closes_within(home.hub, 1s));
      REQUIRE(home.hub.look() == "clock_untrusted");
      home.step(script.offset, script.believed);
      REQUIRE(home.hub.look() == script.seen);
      REQUIRE(home.hub.programs.holds_camera() == (std::string(script.seen) == "open"));
      home.check();
    }
  }
  std::cout << "clock steps survived: " << times(1, 20) * static_cast<int>(scripts().size()) << std::endl;
}

TEST_CASE("a clock that gains a second a minute is found out, and the camera closes", "[fault][clock][ENF-4]") {
  const milliseconds gain = times(10000, 1000) * 1ms;  // a minute; in short ten times as fast
  Clocked home;
  home.hub.see();
  const auto began = std::chrono::steady_clock::now();
  const auto gained = [&] { return (std::chrono::steady_clock::now() - began) * gain.count() / 60000; };
  REQUIRE(until(
      [&] {
        home.clock.set(std::chrono::duration_cast<milliseconds>(gained()), true, true);
        home.hub.link->listen(50ms);
        return home.hub.link->newest("clock_untrusted") > 0;
      },
      90s));
  const auto off = home.clock.offset();
  home.clock.set(off, true, false);
  REQUIRE(closes_within(home.hub, 1s));
  CHECK(off < 1500ms);
  REQUIRE(home.hub.look() == "clock_untrusted");
  home.check();
  std::cout << "a drifting clock survived, found out when " << off.count() << " ms wrong" << std::endl;
}

TEST_CASE("eight hours alone: windows pass, the log is kept, everything is told once and in order afterwards",
          "[fault][alone][ENF-1][ENF-8][LOG-2][LOG-3]") {
  const auto local =
      property::local_minute(std::chrono::floor<milliseconds>(town().maker.now).time_since_epoch().count());
  property::Plan plan;
  std::vector<int> starts;
  for (const int in : {60, 190, 320}) starts.push_back((local + in) % 1440);
  for (const int start : starts) plan.week.push_back({start, 45});
  Clocked home(plan);
  REQUIRE(town().give(*home.hub.link, town().windows_after(town().first_schedule(), starts, 45)) == "accepted");
  const auto pace = std::chrono::minutes(times(10, 1));
  int looks = 0, seen = 0;
  for (milliseconds passed = pace; passed <= 8h; passed += pace) {
    home.step(passed, true);
    const bool open = home.clock.is_open();
    if (open) {
      home.hub.see();
      ++seen;
    } else if (++looks % 5 == 0) {
      REQUIRE(home.hub.look() == "outside_window");
      REQUIRE_FALSE(home.hub.programs.holds_camera());
    }
    home.hub.link.reset();  // nobody there to tell it to: nothing was acknowledged
    home.hub.connect();
  }
  CHECK(seen >= 3);
  home.check();
  home.hub.link.reset();
  home.hub.said.events.clear();
  home.hub.connect();
  const auto status = home.hub.link->poll();
  REQUIRE(status);
  const auto newest = status->at("events").get<std::int64_t>();
  REQUIRE(until([&] { return home.hub.link->listen(20ms), home.hub.said.events.contains(newest); }, 20s));
  const auto& told = home.hub.link->events;
  for (std::size_t i = 0; i < told.size(); ++i) REQUIRE(told[i] == static_cast<std::int64_t>(i) + 1);
  int opened = 0, closed = 0;
  for (const auto& [n, kind] : home.hub.link->kinds())
    opened += kind == "window_opened", closed += kind == "window_closed";
  CHECK(opened >= 3);
  CHECK(closed == opened);
  std::cout << "eight hours alone survived: " << told.size() << " events told once and in order, " << opened
            << " openings, " << seen << " looks" << std::endl;
}
