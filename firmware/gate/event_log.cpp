#include "firmware/gate/event_log.h"

#include <spdlog/spdlog.h>

#include "common/base/json.h"

namespace tillsyn::gate {

Result<void> EventLog::append(orders::Event event, const board::ClockReading& clock) {
  TILLSYN_TRY(last, store_.last_event());
  event.hub = keys_.hub();
  event.n = last ? last->n + 1 : 1;
  event.prev = last ? std::optional(last->hash) : std::nullopt;
  event.time = clock.utc;
  event.mono = clock.mono.count();
  event.clock_trusted = clock.is_trusted();
  const std::string payload = orders::format(event);
  spdlog::info("event {} {} {}", event.n, event.kind, event.reason.value_or(""));
  TILLSYN_TRY(envelope, keys_.envelope("event", payload));
  return store_.add_event(event.n, orders::document_hash(orders::DeviceKind::kEvent, payload), event.time, envelope);
}

Result<void> EventLog::append_counted(orders::Event event, const std::string& signer,
                                      const board::ClockReading& clock) {
  const std::string what = event.kind + ' ' + event.reason.value_or("");
  const bool room = counted_.size() < kMaxKinds;
  auto [entry, is_first] = counted_.try_emplace(Key{room ? signer : std::string(), what});
  if (!is_first) {
    ++entry->second.more;
    return {};
  }
  entry->second = {event, clock.mono, 0};
  return append(std::move(event), clock);
}

Result<std::optional<orders::Event>> EventLog::newest(const std::string& kind) {
  TILLSYN_TRY(stored, store_.newest_event_of(kind));
  if (!stored) return std::optional<orders::Event>();
  TILLSYN_TRY(envelope, parse_json(stored->envelope));
  TILLSYN_TRY(event, orders::parse_event(envelope.at("payload").get<std::string>()));
  return std::optional(std::move(event));
}

Result<void> EventLog::flush(const board::ClockReading& clock) {
  for (auto entry = counted_.begin(); entry != counted_.end();) {
    if (clock.mono - entry->second.since < kTogether) {
      ++entry;
      continue;
    }
    Counted counted = std::move(entry->second);
    entry = counted_.erase(entry);
    if (counted.more == 0) continue;
    counted.event.count = counted.more;
    TILLSYN_CHECK(append(std::move(counted.event), clock));
  }
  return {};
}

}  // namespace tillsyn::gate
