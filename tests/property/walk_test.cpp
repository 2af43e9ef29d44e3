#include "tests/property/walk.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace tillsyn::property {
namespace {

constexpr int kStepsOfAHub = 600;
constexpr std::int64_t kShort = 20'000;
constexpr std::uint64_t kSeed = 276'709'387;

// A count from the environment: how much is done, never what is checked.
std::uint64_t count_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Ms real_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Hub after hub until there were enough steps, or, of the short form, until it has taken too long for a short form.
Tally walk(std::uint64_t seed, std::int64_t steps, Ms patience) {
  Tally tally;
  const Ms end = real_now() + patience;
  for (std::uint64_t hub = 0; tally.steps < steps && real_now() < end; ++hub) {
    try {
      Walk one(seed + hub);
      one.steps(kStepsOfAHub);
      tally.add(one.tally());
    } catch (const Broken& broken) {
      FAIL("BROKEN (TILLSYN_PROPERTY_SEED=" << seed + hub << "): " << broken.what());
    }
  }
  return tally;
}

}  // namespace

TEST_CASE("whatever happens, no picture leaves that was taken when the home was closed",
          "[walk][ENF-1][ENF-2][ENF-4]") {
  const auto seed = count_from("TILLSYN_PROPERTY_SEED", kSeed);
  const auto steps = static_cast<std::int64_t>(count_from("TILLSYN_PROPERTY_STEPS", kShort));
  const auto tally = walk(seed, steps, steps > kShort ? 24 * kHour : 90 * kSecond);
  std::cout << tally.steps << " steps, " << tally.open_steps << " with the camera open, " << tally.opened
            << " views opened, " << tally.refused << " refused, " << tally.paused_steps
            << " steps in the resident's own pause, " << tally.frames << " pictures" << std::endl;
  CHECK(tally.open_steps * 10 >= tally.steps);
  CHECK(tally.frames * 10 >= tally.steps);
  CHECK(tally.refused * 100 >= tally.steps);
  CHECK(tally.paused_steps * 200 >= tally.steps);
}

}  // namespace tillsyn::property
