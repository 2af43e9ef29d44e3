#include "firmware/board/clock.h"

#include <catch2/catch.hpp>
#include <deque>

using namespace tillsyn;
using namespace tillsyn::board;
using namespace std::chrono_literals;

namespace {

const Instant kStart = *parse_instant("2026-11-22T20:00:00Z");

// A wall and a monotonic clock that go as told, and a judge that sees them.
struct Script {
  explicit Script(Instant floor = kStart - 24h) : judge(floor) {}

  ClockState after(Milliseconds passed, Milliseconds wall_passed) {
    sample.mono += passed;
    sample.utc += wall_passed;
    return judge.judge(sample);
  }
  ClockState after(Milliseconds passed) { return after(passed, passed); }

  ClockSample sample{kStart, 1000ms, true, 10ms};
  ClockJudge judge;
};

}  // namespace

TEST_CASE("a synchronised clock that goes evenly is trusted", "[board][ENF-4]") {
  Script script;
  for (int i = 0; i < 10000; ++i) REQUIRE(script.after(100ms) == ClockState::kTrusted);
}

TEST_CASE("a clock that was never synchronised is not trusted, however long it runs", "[board][ENF-4]") {
  Script script;
  script.sample.synchronised = false;
  for (int i = 0; i < 100; ++i) REQUIRE(script.after(1h) == ClockState::kNeverSynchronised);
}

TEST_CASE("a clock that may be wrong by a second counts as not synchronised", "[board][ENF-4]") {
  Script script;
  script.sample.max_error = 1000ms;
  CHECK(script.after(100ms) == ClockState::kNeverSynchronised);
  script.sample.max_error = 999ms;
  CHECK(script.after(100ms) == ClockState::kTrusted);
}

TEST_CASE("a step either way distrusts until the time service's next update", "[board][ENF-4]") {
  const Milliseconds step = GENERATE(Milliseconds(600ms), Milliseconds(-600ms), Milliseconds(24h), Milliseconds(-1h));
  Script script;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  CHECK(script.after(100ms, 100ms + step) == ClockState::kStepped);
  for (int i = 0; i < 1000; ++i) REQUIRE(script.after(100ms) == ClockState::kStepped);

  SECTION("an error bound that only grows is no update") {
    script.sample.max_error += 5ms;
    CHECK(script.after(100ms) == ClockState::kStepped);
  }
  SECTION("a bound that falls is one, and the floor still holds") {
    script.sample.max_error -= 5ms;
    CHECK(script.after(100ms) == (step > -1s ? ClockState::kTrusted : ClockState::kBeforeFloor));
  }
  SECTION("synchronised anew is one") {
    script.sample.synchronised = false;
    CHECK(script.after(100ms) == ClockState::kStepped);
    script.sample.synchronised = true;
    CHECK(script.after(100ms) != ClockState::kStepped);
  }
}

TEST_CASE("an update in the very sample of the step does not vouch for it", "[board][ENF-4]") {
  Script script;
  script.sample.max_error = 100ms;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  script.sample.max_error = 1ms;
  CHECK(script.after(100ms, 1h) == ClockState::kStepped);
  CHECK(script.after(100ms) == ClockState::kStepped);
}

TEST_CASE("a step while the clock coasts ends the coasting", "[board][ENF-4]") {
  Script script;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  script.sample.synchronised = false;
  REQUIRE(script.after(1h) == ClockState::kTrusted);
  CHECK(script.after(100ms, 10s) == ClockState::kStepped);
  CHECK(script.after(100ms, 100ms - 10s) == ClockState::kStepped);
}

TEST_CASE("drift of 500 ppm and half a second is borne, more is a step", "[board][ENF-4]") {
  Script script;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  CHECK(script.after(1000s, 1000s + 1000ms) == ClockState::kTrusted);
  CHECK(script.after(1000s, 1000s + 1001ms) == ClockState::kStepped);
}

TEST_CASE("a wall clock that walks in small steps is found out", "[board][ENF-4]") {
  Script script;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  ClockState state = ClockState::kTrusted;
  for (int i = 0; i < 20 && state == ClockState::kTrusted; ++i) state = script.after(100ms, 150ms);
  CHECK(state == ClockState::kStepped);
}

TEST_CASE("a slow lie of a second a minute is found out within minutes, however often the service updates",
          "[board][ENF-4]") {
  const Milliseconds between_updates =
      GENERATE(Milliseconds(2s), Milliseconds(16s), Milliseconds(64s), Milliseconds(1024s));
  const int direction = GENERATE(1, -1);
  Script script;
  script.sample.updated_at = script.sample.mono;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  ClockState state = ClockState::kTrusted;
  for (Milliseconds passed{0}; passed < 2min && state == ClockState::kTrusted; passed += 1s) {
    if (passed % between_updates == 0s) script.sample.updated_at = script.sample.mono;
    state = script.after(1s, 1s + direction * Milliseconds(1000 / 60 + 1));
  }
  CHECK(state == ClockState::kStepped);
}

TEST_CASE("what chrony corrects by slewing, 400 ppm of an oscillator 100 ppm off, is no step", "[board][ENF-4]") {
  Script script;
  for (int second = 0; second < 24 * 3600; second += 2) {
    if (second % 64 == 0) script.sample.updated_at = script.sample.mono;
    REQUIRE(script.after(2000ms, 2001ms) == ClockState::kTrusted);
  }
}

TEST_CASE("an hour or a year either way distrusts until an update that was made after it", "[board][ENF-4]") {
  const Milliseconds jump = GENERATE(Milliseconds(1h), Milliseconds(-1h), Milliseconds(24h * 365),
                                     Milliseconds(-24h * 365), Milliseconds(501ms), Milliseconds(-501ms));
  Script script;
  script.sample.updated_at = script.sample.mono;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  REQUIRE(script.after(100ms, 100ms + jump) == ClockState::kStepped);
  const Milliseconds step = script.sample.mono;

  SECTION("not by the update that made it, though it is heard of later") {
    script.sample.updated_at = step;
    for (int i = 0; i < 1000; ++i) REQUIRE(script.after(1s) == ClockState::kStepped);
  }
  SECTION("not by a falling bound or by being synchronised anew, of a source that says when it updates") {
    script.sample.max_error = 1ms;
    CHECK(script.after(1s) == ClockState::kStepped);
    script.sample.synchronised = false;
    CHECK(script.after(1s) == ClockState::kStepped);
    script.sample.synchronised = true;
    CHECK(script.after(1s) == ClockState::kStepped);
  }
  SECTION("not by an update of a source that is not exact enough") {
    script.sample.updated_at = step + 1s;
    script.sample.max_error = 1s;
    CHECK(script.after(2s) == ClockState::kStepped);
  }
  SECTION("by the next one, though never back before the floor") {
    script.sample.updated_at = step + 1ms;
    CHECK(script.after(1s) == (jump < -1s ? ClockState::kBeforeFloor : ClockState::kTrusted));
  }
  SECTION("and when it is undone, that is a step too: the time in between is nobody's") {
    CHECK(script.after(100ms, 100ms - jump) == ClockState::kStepped);
  }
}

TEST_CASE("a machine that was suspended has a stepped clock, as its monotonic clock stood", "[board][ENF-4]") {
  const Milliseconds asleep = GENERATE(Milliseconds(1s), Milliseconds(8h));
  Script script;
  script.sample.updated_at = script.sample.mono;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  CHECK(script.after(100ms, 100ms + asleep) == ClockState::kStepped);
  CHECK(script.after(1min) == ClockState::kStepped);
  script.sample.updated_at = script.sample.mono;
  CHECK(script.after(100ms) == ClockState::kTrusted);
}

TEST_CASE("a first boot in 1970 is never synchronised, then right, and never goes back", "[board][ENF-4]") {
  Script script(kStart - 24h);
  script.sample.utc = Instant(5s);
  script.sample.synchronised = false;
  REQUIRE(script.after(100ms) == ClockState::kNeverSynchronised);

  SECTION("a service that says 1970 is before the floor") {
    script.sample.synchronised = true;
    script.sample.updated_at = script.sample.mono;
    CHECK(script.after(100ms) == ClockState::kBeforeFloor);
    CHECK(script.judge.floor() == kStart - 24h);
  }
  SECTION("the first update steps to today, and there was nothing to contradict") {
    script.sample.utc = kStart;
    script.sample.synchronised = true;
    script.sample.updated_at = script.sample.mono;
    CHECK(script.after(100ms) == ClockState::kTrusted);
    CHECK(script.after(100ms, Instant(10s) - script.sample.utc) == ClockState::kStepped);
    script.sample.updated_at = script.sample.mono + 1ms;
    CHECK(script.after(100ms) == ClockState::kBeforeFloor);
  }
}

TEST_CASE("without a time service a trusted clock coasts 72 hours, and a new one not at all", "[board][ENF-4]") {
  Script script;
  REQUIRE(script.after(100ms) == ClockState::kTrusted);
  script.sample.synchronised = false;
  CHECK(script.after(72h) == ClockState::kTrusted);
  CHECK(script.after(1ms) == ClockState::kCoastedTooLong);
  script.sample.synchronised = true;
  CHECK(script.after(100ms) == ClockState::kTrusted);

  ClockJudge after_reboot(kStart);
  script.sample.synchronised = false;
  CHECK(after_reboot.judge(script.sample) == ClockState::kNeverSynchronised);
}

TEST_CASE("a time before the floor is not trusted, and a trusted time raises the floor", "[board][ENF-4]") {
  Script script(kStart + 1h);
  CHECK(script.after(100ms) == ClockState::kBeforeFloor);
  CHECK(script.judge.floor() == kStart + 1h);
  CHECK(script.after(1h) == ClockState::kTrusted);
  CHECK(script.judge.floor() == script.sample.utc);

  script.judge.raise_floor(kStart);
  CHECK(script.judge.floor() == script.sample.utc);
  script.judge.raise_floor(script.sample.utc + 10s);
  CHECK(script.after(100ms) == ClockState::kBeforeFloor);
}

TEST_CASE("an untrusted time never raises the floor", "[board][ENF-4]") {
  Script script;
  script.sample.synchronised = false;
  script.after(1000h);
  CHECK(script.judge.floor() == kStart - 24h);
}

TEST_CASE("the clock judges what its source says, all of one moment", "[board][ENF-4]") {
  struct Scripted : ClockSource {
    std::deque<ClockSample> samples;
    ClockSample sample() override {
      const ClockSample next = samples.front();
      samples.pop_front();
      return next;
    }
  };
  auto source = std::make_unique<Scripted>();
  source->samples = {{kStart, 5ms, true, 0ms}, {kStart + 2h, 105ms, true, 0ms}};
  Clock clock(std::move(source), kStart - 1h);
  const ClockReading first = clock.read();
  CHECK(first.is_trusted());
  CHECK(first.utc == kStart);
  CHECK(first.mono == 5ms);
  CHECK(clock.floor() == kStart);
  CHECK(clock.read().state == ClockState::kStepped);
}

TEST_CASE("the kernel's clock gives samples whose two clocks go together", "[board]") {
  KernelClockSource source;
  const ClockSample first = source.sample();
  const ClockSample second = source.sample();
  CHECK(second.mono >= first.mono);
  CHECK(std::chrono::abs((second.utc - first.utc) - (second.mono - first.mono)) < 200ms);
}
