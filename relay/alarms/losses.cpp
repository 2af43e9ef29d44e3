#include "relay/alarms/losses.h"

#include <algorithm>
#include <set>

#include "common/crypto/random.h"

namespace tillsyn::alarms {
namespace {

using store::Value;

constexpr const char* kEverywhere = "*";

std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }
Instant instant_of(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

std::optional<std::string> area_of(const care::Provider& provider, const std::string& hub) {
  const auto* assignment = provider.book.assignment_of(hub);
  return assignment ? std::optional<std::string>(assignment->group) : std::nullopt;
}

class Judgement {
 public:
  Judgement(care::Provider& provider, const Hearing& hearing, Instant now)
      : provider_(provider), hearing_(hearing), now_(now) {}

  Result<bool> run() {
    TILLSYN_CHECK(read());
    for (const Loss& loss : losses_) TILLSYN_CHECK(close_if_back(loss));
    for (const AreaLoss& event : events_) TILLSYN_CHECK(close_if_over(event));
    for (const auto& [hub, heard] : hearing_) TILLSYN_CHECK(open_if_lost(hub, heard));
    return changed_;
  }

 private:
  Result<void> read() {
    TILLSYN_TRY(losses, open_losses(provider_));
    TILLSYN_TRY(events, open_area_losses(provider_));
    losses_ = std::move(losses);
    events_ = std::move(events);
    for (const Loss& loss : losses_) lost_.insert(loss.hub);
    return {};
  }

  Result<void> enter(const char* what, const std::string& hub) {
    TILLSYN_CHECK(provider_.ledger->append_seen({.what = what, .hub = hub}, now_));
    return {};
  }
  Result<void> enter_area(const char* what, const std::optional<std::string>& area, std::size_t hubs) {
    const Json details = {{"area", area.value_or(kEverywhere)}, {"hubs", hubs}};
    TILLSYN_CHECK(provider_.ledger->append_seen({.what = what, .details = details}, now_));
    return {};
  }

  // ---- back

  Result<void> close_if_back(const Loss& loss) {
    const auto heard = hearing_.find(loss.hub);
    if (heard == hearing_.end() || !heard->second.is_online) return {};
    TILLSYN_TRY(told, provider_.database.select_one<std::int64_t>(
                          "select is_told from losses where hub = :hub and back_ms is null", {loss.hub}));
    TILLSYN_CHECK(provider_.database.run("update losses set back_ms = :back where hub = :hub and back_ms is null",
                                         {ms_of(now_), loss.hub}));
    if (told && std::get<0>(*told) != 0) TILLSYN_CHECK(enter("hub_back", loss.hub));
    provider_.waiting_at.erase(loss.hub);
    lost_.erase(loss.hub);
    changed_ = true;
    return {};
  }

  // Over when all its hubs are back, or more than half of them have been for kReturn. `backs` are those that are.
  bool is_over(std::vector<std::int64_t> backs, std::size_t all) const {
    if (backs.size() == all) return true;
    if (backs.size() <= all / 2) return false;
    const auto half = backs.begin() + static_cast<std::ptrdiff_t>(all / 2);
    std::ranges::nth_element(backs, half);
    return now_ - instant_of(*half) >= kReturn;
  }

  // Those that are not back by then are lost each by itself. Of a hub that came and went meanwhile its last loss counts.
  Result<void> close_if_over(const AreaLoss& event) {
    TILLSYN_TRY(rows, (provider_.database.select<std::string, std::optional<std::int64_t>>(
                          "select hub, back_ms from losses where n in (select max(n) from losses where event = :event "
                          "group by hub)",
                          {event.id})));
    std::vector<std::string> left;
    std::vector<std::int64_t> backs;
    for (const auto& [hub, back] : rows) back ? backs.push_back(*back) : left.push_back(hub);
    if (!is_over(std::move(backs), rows.size())) return {};
    TILLSYN_CHECK(
        provider_.database.run("update area_losses set back_ms = :back where id = :id", {ms_of(now_), event.id}));
    TILLSYN_CHECK(enter_area("area_back", event.area, rows.size() - left.size()));
    for (const std::string& hub : left) {
      TILLSYN_CHECK(provider_.database.run(
          "update losses set event = null, is_told = 1 where hub = :hub and back_ms is null", {hub}));
      TILLSYN_CHECK(enter("hub_lost", hub));
    }
    closed_.insert(event.id);
    changed_ = true;
    return {};
  }

  // ---- lost

  Result<void> open_if_lost(const std::string& hub, const Heard& heard) {
    if (heard.is_online || heard.silent < kLostAfter || lost_.contains(hub)) return {};
    const auto area = area_of(provider_, hub);
    if (const std::string* event = event_of(area)) return insert(hub, heard, *event, false);
    if (heard.silent < kLostAfter + kGather) return {};
    for (const auto& where : {std::optional<std::string>(), area}) {
      const std::size_t silent = area ? lost_together(where) : 0;
      if (silent > 0) return open_event(where, hub, heard, silent);
    }
    return open_alone(hub, heard);
  }

  // The loss that this area is part of already.
  const std::string* event_of(const std::optional<std::string>& area) const {
    for (const AreaLoss& event : events_) {
      if (area && !closed_.contains(event.id) && (!event.area || event.area == area)) return &event.id;
    }
    return nullptr;
  }

  struct Count {
    std::size_t all = 0;
    std::size_t silent = 0;
    bool is_half() const { return silent * 2 >= all; }
  };

  // By area, the hubs that serve there and have not been lost since before this run; those that it has put into an
  // event count as well.
  std::map<std::string, Count> count() const {
    std::map<std::string, Count> out;
    for (const auto& [hub, heard] : hearing_) {
      const auto area = area_of(provider_, hub);
      if (!area || lost_.contains(hub)) continue;
      ++out[*area].all;
      if (heard.silent >= kSuspectAfter) ++out[*area].silent;
    }
    return out;
  }

  // How many are silent in the area (nullopt: in all of them, of which there are several), if that is no chance; else
  // 0.
  std::size_t lost_together(const std::optional<std::string>& area) const {
    std::size_t silent = 0;
    std::size_t areas = 0;
    for (const auto& [name, counted] : count()) {
      if (area && name != *area) continue;
      if (!counted.is_half()) return 0;
      silent += counted.silent;
      ++areas;
    }
    return silent >= kLeastTogether && (area || areas > 1) ? silent : 0;
  }

  Result<void> open_event(const std::optional<std::string>& area, const std::string& hub, const Heard& heard,
                          std::size_t silent) {
    const AreaLoss event{to_base64url(crypto::random_array<16>()), area, now_ - heard.silent};
    TILLSYN_CHECK(provider_.database.run("insert into area_losses (id, area, lost_ms) values (:id, :area, :lost)",
                                         {event.id, store::optional_value(area), ms_of(event.lost)}));
    TILLSYN_CHECK(enter_area("area_lost", area, silent));
    events_.push_back(event);
    return insert(hub, heard, event.id, false);
  }

  Result<void> open_alone(const std::string& hub, const Heard& heard) {
    TILLSYN_TRY(before, provider_.database.select<std::int64_t>(
                            "select lost_ms from losses where hub = :hub and lost_ms > :since",
                            {hub, ms_of(now_ - kFlapsWithin)}));
    const auto count = before.size() + 1;
    TILLSYN_CHECK(insert(hub, heard, std::nullopt, count < kFlaps));
    if (count < kFlaps) return enter("hub_lost", hub);
    if (count == kFlaps) return enter("hub_flapping", hub);
    return {};
  }

  Result<void> insert(const std::string& hub, const Heard& heard, const std::optional<std::string>& event,
                      bool is_told) {
    TILLSYN_CHECK(provider_.database.run(
        "insert into losses (n, hub, lost_ms, event, is_told) values ((select coalesce(max(n), 0) + 1 from losses), "
        ":hub, :lost, :event, :told)",
        {hub, ms_of(now_ - heard.silent), store::optional_value(event), std::int64_t{is_told}}));
    changed_ = true;
    return {};
  }

  care::Provider& provider_;
  const Hearing& hearing_;
  const Instant now_;
  std::vector<Loss> losses_;
  std::vector<AreaLoss> events_;
  std::set<std::string> lost_;    // before this run, and not back
  std::set<std::string> closed_;  // events that this run has ended
  bool changed_ = false;
};

}  // namespace

Result<bool> judge_losses(care::Provider& provider, const Hearing& hearing, Instant now) {
  bool changed = false;
  const auto done = provider.database.transaction([&]() -> Result<void> {
    TILLSYN_TRY(any, Judgement(provider, hearing, now).run());
    changed = any;
    return {};
  });
  if (!done) return done.error();
  return changed;
}

Result<std::vector<Loss>> open_losses(care::Provider& provider) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::int64_t, std::optional<std::string>>(
                        "select hub, lost_ms, event from losses where back_ms is null order by n")));
  std::vector<Loss> out;
  for (auto& [hub, lost, event] : rows) out.push_back({hub, instant_of(lost), event});
  return out;
}

Result<std::vector<AreaLoss>> open_area_losses(care::Provider& provider) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::optional<std::string>, std::int64_t>(
                        "select id, area, lost_ms from area_losses where back_ms is null order by lost_ms, id")));
  std::vector<AreaLoss> out;
  for (auto& [id, area, lost] : rows) out.push_back({id, area, instant_of(lost)});
  return out;
}

Result<std::map<std::string, Instant>> flapping(care::Provider& provider, Instant now) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::int64_t, std::int64_t>(
                        "select hub, count(*), min(lost_ms) from losses where lost_ms > :since and event is null "
                        "group by hub",
                        {ms_of(now - kFlapsWithin)})));
  std::map<std::string, Instant> out;
  for (const auto& [hub, count, first] : rows) {
    if (count >= kFlaps) out[hub] = instant_of(first);
  }
  return out;
}

}  // namespace tillsyn::alarms
