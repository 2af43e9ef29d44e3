#include "relay/alarms/maintenance.h"

#include <algorithm>

#include "common/crypto/random.h"
#include "relay/care/supervisions.h"

namespace tillsyn::alarms {
namespace {

constexpr std::size_t kMaxReasonBytes = 500;
constexpr std::chrono::hours kLongest{12};

std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }
Instant instant_of(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

Result<void> enter(care::Provider& provider, const char* what, const Maintenance& one, const orders::Person& by,
                   Instant now) {
  const Json details = {{"id", one.id}, {"from", format_instant(one.from)}, {"to", format_instant(one.to)}};
  TILLSYN_CHECK(
      provider.ledger->append_seen({.what = what, .who = {care::ledger_person(by)}, .details = details}, now));
  return {};
}

}  // namespace

Result<Maintenance> read_maintenance(const Json& value) {
  JsonReader in(value, "maintenance");
  const auto from = parse_instant(in.text("from", 32));
  const auto to = parse_instant(in.text("to", 32));
  Maintenance out{to_base64url(crypto::random_array<16>()), {}, {}, in.text("reason", kMaxReasonBytes)};
  TILLSYN_CHECK(in.finish());
  if (!from || !to || *from >= *to || *to - *from > kLongest) {
    return malformed("member", "from and to must be times, at most 12 hours apart");
  }
  out.from = *from;
  out.to = *to;
  return out;
}

Result<void> plan(care::Provider& provider, const Maintenance& one, const orders::Person& by, Instant now) {
  if (one.from <= now) return refused("not_ahead", "Maintenance is announced before it begins.");
  TILLSYN_TRY(windows, windows_in(provider, one.from, one.to));
  if (windows > 0) return Error{Code::kConflict, "in_window", "A supervision's window lies in that time."};
  return provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(provider.database.run(
        "insert into maintenance (id, from_ms, to_ms, reason, issuer, person, planned_ms) values (:id, :from, :to, "
        ":reason, :issuer, :person, :planned)",
        {one.id, ms_of(one.from), ms_of(one.to), one.reason, by.issuer, by.value, ms_of(now)}));
    return enter(provider, "maintenance_planned", one, by, now);
  });
}

Result<void> cancel(care::Provider& provider, const std::string& id, const orders::Person& by, Instant now) {
  TILLSYN_TRY(planned, planned_after(provider, now));
  const auto found = std::find_if(planned.begin(), planned.end(), [&](const auto& one) { return one.id == id; });
  if (found == planned.end()) return Error{Code::kNotFound, "no_maintenance", "There is no such maintenance ahead."};
  return provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(provider.database.run("update maintenance set cancelled_ms = :now where id = :id", {ms_of(now), id}));
    return enter(provider, "maintenance_cancelled", *found, by, now);
  });
}

Result<std::vector<Maintenance>> planned_after(care::Provider& provider, Instant now) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::int64_t, std::int64_t, std::string>(
                        "select id, from_ms, to_ms, reason from maintenance where to_ms > :now and cancelled_ms is "
                        "null order by from_ms, id",
                        {ms_of(now)})));
  std::vector<Maintenance> out;
  for (auto& [id, from, to, reason] : rows) out.push_back({id, instant_of(from), instant_of(to), reason});
  return out;
}

Result<bool> planned_at(care::Provider& provider, Instant now) {
  TILLSYN_TRY(planned, planned_after(provider, now));
  return std::any_of(planned.begin(), planned.end(), [&](const auto& one) { return one.from <= now; });
}

Result<std::size_t> windows_in(care::Provider& provider, Instant from, Instant to) {
  TILLSYN_TRY(all, care::supervisions(provider, from, to));
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const auto& one) { return !one.outcome.has_value(); }));
}

}  // namespace tillsyn::alarms
