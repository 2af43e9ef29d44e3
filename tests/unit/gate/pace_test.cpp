#include "firmware/gate/pace.h"

#include <catch2/catch.hpp>

using namespace tillsyn::gate;
using namespace std::chrono_literals;

namespace {

// Pictures every 66 ms that are painted `delay` after they were taken; the rate in the end.
unsigned watch(Pace& pace, std::uint64_t from, int pictures, std::chrono::milliseconds delay) {
  for (int i = 0; i < pictures; ++i) {
    const auto ctr = from + static_cast<std::uint64_t>(i);
    const auto capture = 1h + 66ms * static_cast<int>(ctr);
    pace.sent(ctr, capture);
    pace.painted(ctr, capture + delay);
  }
  return pace.kbit();
}

}  // namespace

TEST_CASE("a viewer who falls behind gets a lower rate at once, and more again slowly", "[pace][VID-5]") {
  Pace pace;
  CHECK(watch(pace, 0, 10, 100ms) == Pace::kFirstKbit);
  CHECK(watch(pace, 10, 1, 600ms) == Pace::kFirstKbit * 7 / 10);
  CHECK(watch(pace, 11, 1, 600ms) == Pace::kFirstKbit * 7 / 10);  // not with every picture
  CHECK(watch(pace, 12, 200, 600ms) == Pace::kLeastKbit);
  const auto before = pace.kbit();
  watch(pace, 212, 20, 100ms);
  CHECK(pace.kbit() <= before * 12 / 10);
  CHECK(watch(pace, 232, 5000, 100ms) == Pace::kMostKbit);
}

TEST_CASE("a network that is slow by nature is not a viewer who falls behind", "[pace][VID-5]") {
  Pace pace;
  CHECK(watch(pace, 0, 100, 900ms) >= Pace::kFirstKbit);
  CHECK(watch(pace, 100, 20, 1400ms) < Pace::kFirstKbit);
}

TEST_CASE("pictures are left out when the viewer is behind, and not otherwise", "[pace][VID-5]") {
  Pace pace;
  pace.sent(0, 1000ms);
  CHECK_FALSE(pace.painted(0, 1100ms));
  pace.sent(1, 1066ms);
  CHECK_FALSE(pace.painted(1, 1566ms));
  pace.sent(2, 1133ms);
  CHECK(pace.painted(2, 1734ms));
  CHECK_FALSE(pace.painted(2, 1735ms));
}

TEST_CASE("what was never sent, or is long forgotten, tells nothing", "[pace]") {
  Pace pace;
  CHECK_FALSE(pace.painted(5, 1h));
  for (std::uint64_t ctr = 0; ctr < 2000; ++ctr) pace.sent(ctr, 1h);
  CHECK_FALSE(pace.painted(3, 2h));
  CHECK(pace.kbit() == Pace::kFirstKbit);
}

TEST_CASE("when link does not take the pictures the rate falls too, to the least and no further", "[pace][VID-5]") {
  Pace pace;
  for (int i = 0; i < 100; ++i) pace.late(1h + 100ms * i);
  CHECK(pace.kbit() == Pace::kLeastKbit);
}
