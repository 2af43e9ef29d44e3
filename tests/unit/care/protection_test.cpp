#include "relay/care/protection.h"

#include "relay/care/settings.h"
#include "tests/unit/care/served.h"

namespace tillsyn::town {
namespace {

const orders::Person kCarin = {"https://idp.example", "carin"};

}  // namespace

TEST_CASE("who is protected is so until somebody says otherwise, restarts included, and it is entered once",
          "[care][TEN-3]") {
  Served town;
  const std::string resident = town.hub.home().resident;
  CHECK_FALSE(*care::is_protected(town.provider(), resident));
  CHECK(care::unprotect(town.provider(), resident, kCarin, town.now).error().reason == "not_protected");
  for (int i = 0; i < 2; ++i) {
    REQUIRE(care::protect(town.provider(), resident, kCarin, town.now).ok());
    CHECK(town.newest().what == "resident_protected");
    CHECK(town.newest().resident == resident);
    CHECK(town.newest().who.front().person == "carin");
  }
  const auto size = *town.provider().ledger->size();
  town.start();
  CHECK(*care::is_protected(town.provider(), resident));
  CHECK(*town.provider().ledger->size() == size);
  CHECK_FALSE(*care::is_protected(town.provider(), fakes::random_id("another")));
  REQUIRE(care::unprotect(town.provider(), resident, kCarin, town.now).ok());
  CHECK(town.newest().what == "resident_unprotected");
  CHECK_FALSE(*care::is_protected(town.provider(), resident));
}

TEST_CASE("there is something to pause while a consent stands", "[care][TEN-3]") {
  Served town;
  CHECK(*care::has_consent(town.provider(), town.hub.home().resident));
  CHECK_FALSE(*care::has_consent(town.provider(), fakes::random_id("another")));
}

TEST_CASE("protected residents are refused unless it has been settled otherwise, each change entered",
          "[care][TEN-3]") {
  Served town;
  CHECK_FALSE(care::settings(town.provider())->takes_protected);
  const auto before = *town.provider().ledger->size();
  REQUIRE(care::put_settings(town.provider(), {false}, kCarin, town.now).ok());
  CHECK(*town.provider().ledger->size() == before);
  REQUIRE(care::put_settings(town.provider(), {true}, kCarin, town.now).ok());
  CHECK(town.newest().what == "setting_changed");
  CHECK(town.newest().reason == "protected_residents=taken");
  town.start();
  CHECK(care::settings(town.provider())->takes_protected);
  CHECK(care::settings_json({true}) == Json{{"protected_residents", "taken"}});
  for (const Json& bad : {Json{{"protected_residents", "perhaps"}}, Json::object(), Json(1),
                          Json{{"protected_residents", "taken"}, {"more", 1}}}) {
    CHECK_FALSE(care::read_settings(bad).ok());
  }
}

}  // namespace tillsyn::town
