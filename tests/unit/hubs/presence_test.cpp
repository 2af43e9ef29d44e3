#include "relay/hubs/presence.h"

#include <catch2/catch.hpp>

#include "relay/hubs/messages.h"

using namespace tillsyn;
using hubs::Presence;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const hubs::Hub kHub{"hub-a", "p"};
const Presence::Time kStart{seconds(1000)};

}  // namespace

TEST_CASE("a hub of which nothing is heard for 45 s is lost, once", "[hubs][AVA-1]") {
  Presence presence;
  CHECK(presence.heard(kHub, kStart) == Presence::Heard::kFirst);
  CHECK(presence.is_online("hub-a"));
  CHECK(presence.take_lost(kStart + seconds(45) - milliseconds(1)).empty());
  CHECK(presence.take_lost(kStart + seconds(45)) == std::vector{kHub});
  CHECK_FALSE(presence.is_online("hub-a"));
  CHECK(presence.take_lost(kStart + seconds(90)).empty());
}

TEST_CASE("a hub that speaks within 45 s is never lost", "[hubs][AVA-1]") {
  Presence presence;
  for (int i = 0; i < 20; ++i) {
    presence.heard(kHub, kStart + i * seconds(44));
    CHECK(presence.take_lost(kStart + i * seconds(44) + seconds(43)).empty());
  }
}

TEST_CASE("a lost hub that speaks again is back, and can be lost again", "[hubs][AVA-1]") {
  Presence presence;
  presence.heard(kHub, kStart);
  CHECK(presence.take_lost(kStart + seconds(45)).size() == 1);
  CHECK(presence.heard(kHub, kStart + seconds(50)) == Presence::Heard::kBack);
  CHECK(presence.heard(kHub, kStart + seconds(51)) == Presence::Heard::kStill);
  CHECK(presence.take_lost(kStart + seconds(96)).size() == 1);
}

TEST_CASE("a hub that stays away after the relay has started is lost too", "[hubs][AVA-1]") {
  Presence presence;
  presence.expect(kHub, kStart);
  CHECK_FALSE(presence.is_online("hub-a"));
  CHECK(presence.take_lost(kStart + seconds(44)).empty());
  CHECK(presence.take_lost(kStart + seconds(45)).size() == 1);
  CHECK_FALSE(presence.is_online("hub-b"));
}

TEST_CASE("polls and reports of another form are refused", "[hubs]") {
  for (const char* bad :
       {"", "[]", "{}", R"({"format":2,"status":null})", R"({"format":1})", R"({"format":1,"status":1})",
        R"({"format":1,"status":null,"more":1})", R"({"format":1,"format":1,"status":null})"}) {
    CAPTURE(bad);
    CHECK_FALSE(hubs::read_poll(bad).ok());
  }
  CHECK(hubs::read_poll(R"({"format":1,"status":null})").ok());
  const std::string rest = R"("receipts":[],"countersigns":[],"events":[]})";
  CHECK(hubs::read_report(R"({"format":1,"status":null,"answers":[{}],)" + rest).ok());
  CHECK_FALSE(hubs::read_report(R"({"format":1,"status":null,"answers":["x"],)" + rest).ok());
  CHECK_FALSE(hubs::read_report(R"({"format":1,"status":[],"answers":[],)" + rest).ok());
  CHECK_FALSE(hubs::read_report(R"({"format":1,"status":null,)" + rest).ok());
  std::string many = "{}";
  for (std::size_t i = 0; i < hubs::kMaxBatch; ++i) many += ",{}";
  CHECK_FALSE(hubs::read_report(R"({"format":1,"status":null,"answers":[)" + many + "]," + rest).ok());
}
