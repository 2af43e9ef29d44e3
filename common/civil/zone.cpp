#include "common/civil/zone.h"

#include <date/tz.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace tillsyn::civil {
namespace {

constexpr Instant kEver = Instant::max();

// "localtime" is whatever this machine is set to, so it says nothing about the home.
bool names_a_place(const std::string& name) { return name != "localtime"; }

}  // namespace

std::vector<Zone::Period> Zone::read_periods(const std::string& name) {
  const date::time_zone* source = date::locate_zone(name);
  const auto horizon = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);
  std::vector<Period> periods;
  for (std::chrono::sys_seconds at{};;) {
    const date::sys_info info = source->get_info(at);
    if (!periods.empty()) {
      Period& before = periods.back();
      before.local_end = LocalInstant(before.end.time_since_epoch() + std::max(before.offset, info.offset));
    }
    const bool is_last = info.end >= horizon;
    periods.push_back({is_last ? kEver : Instant(info.end), LocalInstant::max(), info.offset});
    if (is_last) return periods;
    at = info.end;
  }
}

Result<std::shared_ptr<const Zone>> Zone::load(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Zone>> loaded;  // no more than tzdata has names
  const std::lock_guard lock(mutex);
  if (const auto found = loaded.find(name); found != loaded.end()) return found->second;
  try {
    if (!names_a_place(name)) return malformed("timezone", "not the name of a place");
    const std::shared_ptr<const Zone> zone(new Zone(read_periods(name)));
    return loaded.emplace(name, zone).first->second;
  } catch (const std::exception&) {
    return malformed("timezone", "not a known time zone");
  }
}

Instant Zone::instant_of(LocalDate date, std::chrono::minutes since_midnight) const {
  const LocalInstant local = date + since_midnight;
  const auto period = std::upper_bound(periods_.begin(), periods_.end() - 1, local,
                                       [](LocalInstant value, const Period& p) { return value < p.local_end; });
  return Instant(local.time_since_epoch() - period->offset);
}

LocalDate Zone::date_at(Instant instant) const {
  const auto period = std::upper_bound(periods_.begin(), periods_.end() - 1, instant,
                                       [](Instant value, const Period& p) { return value < p.end; });
  return std::chrono::floor<std::chrono::days>(LocalInstant(instant.time_since_epoch() + period->offset));
}

}  // namespace tillsyn::civil
