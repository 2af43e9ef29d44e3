#include "firmware/gate/pulse.h"

#include <catch2/catch.hpp>

#include "firmware/fuse/feed.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace std::chrono_literals;

TEST_CASE("the fuse is told closed or open as the loop has judged", "[pulse][ENF-7]") {
  Pulse pulse(-1);
  pulse.judged(1h, std::nullopt);
  CHECK(pulse.byte_at(1h) == fuse::kVerdictClosed);
  pulse.judged(1h, 1h + 10s);
  CHECK(pulse.byte_at(1h + 1s) == fuse::kVerdictOpen);
  pulse.judged(1h + 1s, std::nullopt);
  CHECK(pulse.byte_at(1h + 1s) == fuse::kVerdictClosed);
}

TEST_CASE("a loop that hangs is not spoken for, with a camera or without", "[pulse][ENF-2]") {
  Pulse pulse(-1);
  CHECK_FALSE(pulse.byte_at(1h));  // has never judged
  pulse.judged(1h, std::nullopt);
  CHECK(pulse.byte_at(1h + Pulse::kLoopPatience));
  CHECK_FALSE(pulse.byte_at(1h + Pulse::kLoopPatience + 1ms));
  pulse.judged(1h, 2h);
  CHECK_FALSE(pulse.byte_at(1h + Pulse::kLoopPatience + 1ms));
}

TEST_CASE("a camera that is held past its window is not spoken for, however lively the loop", "[pulse][ENF-2]") {
  Pulse pulse(-1);
  pulse.judged(1h, 1h + 300ms);
  CHECK(pulse.byte_at(1h + 299ms) == fuse::kVerdictOpen);
  CHECK_FALSE(pulse.byte_at(1h + 300ms));
}
