#include "firmware/gate/challenges.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace std::chrono_literals;

namespace {

std::string reason(const Result<void>& result) { return result ? "used" : result.error().reason; }

}  // namespace

TEST_CASE("a challenge is good for two minutes, whatever the wall clock does", "[gate][challenge][ENF-1]") {
  Challenges challenges;
  const auto challenge = challenges.fresh(1h);
  CHECK(reason(challenges.use(challenge, "a", 1h + Challenges::kLife - 1ms)) == "used");
  CHECK(reason(challenges.use(challenge, "b", 1h + Challenges::kLife)) == "unknown_challenge");
}

TEST_CASE("a challenge that the hub never made is nothing", "[gate][challenge]") {
  Challenges challenges;
  auto challenge = challenges.fresh(1h);
  challenge[31] ^= 1;
  CHECK(reason(challenges.use(challenge, "a", 1h)) == "unknown_challenge");
  CHECK(reason(challenges.use(Bytes(), "a", 1h)) == "unknown_challenge");
  CHECK(reason(Challenges().use(challenge, "a", 1h)) == "unknown_challenge");
}

TEST_CASE("only the newest eight live", "[gate][challenge]") {
  Challenges challenges;
  std::vector<Challenge> made;
  for (int i = 0; i < 9; ++i) made.push_back(challenges.fresh(1h));
  CHECK(reason(challenges.use(made[0], "a", 1h)) == "unknown_challenge");
  CHECK(reason(challenges.use(made[1], "b", 1h)) == "used");
}

TEST_CASE("an act is used once, under any challenge", "[gate][challenge]") {
  Challenges challenges;
  const auto first = challenges.fresh(1h);
  const auto second = challenges.fresh(1h);
  CHECK(reason(challenges.use(first, "olle 1", 1h)) == "used");
  CHECK(reason(challenges.use(first, "olle 1", 1h)) == "replayed");
  CHECK(reason(challenges.use(second, "olle 1", 1h + 1min)) == "replayed");
  CHECK(reason(challenges.use(second, "olle 2", 1h + 1min)) == "used");
}

TEST_CASE("a refused challenge uses nothing up", "[gate][challenge]") {
  Challenges challenges;
  CHECK(reason(challenges.use(Challenge{}, "olle 1", 1h)) == "unknown_challenge");
  CHECK(reason(challenges.use(challenges.fresh(1h), "olle 1", 1h)) == "used");
}

TEST_CASE("what is remembered of acts is bounded, and refuses rather than forgets", "[gate][challenge]") {
  Challenges challenges;
  const auto challenge = challenges.fresh(1h);
  for (std::size_t i = 0; i < Challenges::kMaxUses; ++i)
    REQUIRE(reason(challenges.use(challenge, std::to_string(i), 1h)) == "used");
  CHECK(reason(challenges.use(challenge, "one more", 1h)) == "too_many_views");
  CHECK(reason(challenges.use(challenge, "0", 1h)) == "replayed");
  const auto later = challenges.fresh(1h + Challenges::kLife);
  CHECK(reason(challenges.use(later, "one more", 1h + Challenges::kLife)) == "used");
}

TEST_CASE("telling on one's own account makes no new challenge while there is a fresh one", "[gate][challenge]") {
  Challenges challenges;
  const auto asked = challenges.fresh(1h);
  CHECK(challenges.newest(1h + 59s) == asked);
  CHECK(challenges.newest(1h + 60s) != asked);
  CHECK(reason(challenges.use(asked, "a", 1h + 60s)) == "used");
}
