#include "relay/care/protection.h"

namespace tillsyn::care {
namespace {

Result<void> enter(Provider& provider, const char* what, const std::string& resident, const orders::Person& by,
                   Instant now) {
  TILLSYN_CHECK(provider.ledger->append_seen({.what = what, .resident = resident, .who = {ledger_person(by)}}, now));
  return {};
}

}  // namespace

Result<bool> is_protected(Provider& provider, const std::string& resident) {
  TILLSYN_TRY(row, provider.database.select_one<std::string>(
                       "select resident from protected_residents where resident = :resident", {resident}));
  return row.has_value();
}

Result<void> protect(Provider& provider, const std::string& resident, const orders::Person& by, Instant now) {
  TILLSYN_TRY(held, is_protected(provider, resident));
  if (held) return {};
  return provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(
        provider.database.run("insert into protected_residents (resident, since_ms) values (:resident, :since)",
                              {resident, std::int64_t{now.time_since_epoch().count()}}));
    return enter(provider, "resident_protected", resident, by, now);
  });
}

Result<void> unprotect(Provider& provider, const std::string& resident, const orders::Person& by, Instant now) {
  TILLSYN_TRY(held, is_protected(provider, resident));
  if (!held) return Error{Code::kNotFound, "not_protected", "This resident is not marked as protected."};
  return provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(provider.database.run("delete from protected_residents where resident = :resident", {resident}));
    return enter(provider, "resident_unprotected", resident, by, now);
  });
}

Result<bool> has_consent(Provider& provider, const std::string& resident) {
  TILLSYN_TRY(timelines, provider.history.timelines());
  const auto held = timelines->find(resident);
  return held != timelines->end() && !held->second.consents.empty() &&
         held->second.consents.back().body.terms.has_value();
}

}  // namespace tillsyn::care
