#include "relay/care/settings.h"

namespace tillsyn::care {
namespace {

constexpr const char* kProtected = "protected_residents";
constexpr const char* kTaken = "taken";
constexpr const char* kRefused = "refused";

const char* word_of(bool takes_protected) { return takes_protected ? kTaken : kRefused; }

}  // namespace

Json settings_json(const Settings& settings) { return {{kProtected, word_of(settings.takes_protected)}}; }

Result<Settings> read_settings(const Json& value) {
  JsonReader in(value, "settings");
  const std::string word = in.text(kProtected, 16);
  if (in.ok() && word != kTaken && word != kRefused) in.fail(kProtected, "is neither taken nor refused");
  TILLSYN_CHECK(in.finish());
  return Settings{word == kTaken};
}

Result<Settings> settings(Provider& provider) {
  TILLSYN_TRY(row, provider.database.select_one<std::string>("select value from settings where name = :name",
                                                             {std::string(kProtected)}));
  return Settings{row && std::get<0>(*row) == kTaken};
}

Result<void> put_settings(Provider& provider, const Settings& next, const orders::Person& by, Instant now) {
  TILLSYN_TRY(held, settings(provider));
  if (held.takes_protected == next.takes_protected) return {};
  return provider.database.transaction([&]() -> Result<void> {
    const std::string name = kProtected;
    const std::string word = word_of(next.takes_protected);
    TILLSYN_CHECK(provider.database.run("delete from settings where name = :name", {name}));
    TILLSYN_CHECK(provider.database.run("insert into settings (name, value) values (:name, :value)", {name, word}));
    TILLSYN_CHECK(provider.ledger->append_seen(
        {.what = "setting_changed", .who = {ledger_person(by)}, .reason = name + "=" + word}, now));
    return {};
  });
}

}  // namespace tillsyn::care
