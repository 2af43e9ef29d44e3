#include "relay/hubs/quiet.h"

#include <catch2/catch.hpp>

using namespace tillsyn;
using hubs::Quiet;
using std::chrono::milliseconds;

namespace {

const Quiet::Time kNow{};

Quiet quiet_hub() {
  Quiet quiet;
  quiet.found(quiet.changes(), 7, kNow);
  return quiet;
}

}  // namespace

TEST_CASE("nothing to say is known until something changes", "[hubs]") {
  Quiet quiet = quiet_hub();
  CHECK(quiet.holds(kNow) == 7);
  quiet.changed();
  CHECK(!quiet.holds(kNow));
}

TEST_CASE("what changes while it is being found out is not overlooked", "[hubs]") {
  Quiet quiet;
  const auto asked = quiet.changes();
  quiet.changed();
  quiet.found(asked, 7, kNow);
  CHECK(!quiet.holds(kNow));
}

TEST_CASE("a status that tells the same is no change, one that tells other is", "[hubs]") {
  const Json before = {{"root_list", 1}, {"bundle", nullptr}, {"slots", Json::array()}, {"events_acked", 3}, {"mono", 1}};
  Quiet quiet;
  quiet.heard(before);
  quiet.found(quiet.changes(), 7, kNow);
  Json after = before;
  after["mono"] = 2;
  quiet.heard(after);
  CHECK(quiet.holds(kNow) == 7);
  const auto [name, value] = GENERATE(table<std::string, Json>({{"root_list", 2},
                                                                {"bundle", {{"counter", 1}}},
                                                                {"slots", {{{"slot", "device"}}}},
                                                                {"events_acked", 4}}));
  after[name] = value;
  quiet.heard(after);
  CHECK(!quiet.holds(kNow));
}

TEST_CASE("nothing to say is found out anew after a minute in any case", "[hubs]") {
  const Quiet quiet = quiet_hub();
  CHECK(quiet.holds(kNow + Quiet::kLongest - milliseconds(1)) == 7);
  CHECK(!quiet.holds(kNow + Quiet::kLongest));
}
