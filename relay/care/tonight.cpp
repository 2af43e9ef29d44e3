#include "relay/care/tonight.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "common/civil/windows.h"

namespace tillsyn::care {
namespace {

constexpr std::chrono::hours kBack{24};
constexpr std::chrono::hours kAhead{36};

using WindowKey = std::tuple<std::string, std::string, std::string>;  // resident, date, window id

struct Mark {
  int rank = 0;
  Json text;
};

// How much one outcome outweighs another.
int rank_of(const std::string& type) {
  if (type == "completed") return 1;
  if (type == "not-seen" || type == "unable") return 2;
  return 3;  // visit-taken, pause-known
}

Result<std::map<WindowKey, Mark>> marks(Provider& provider, Instant since) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::string, std::string>(
                        "select body, hash, time from orders where slot is null and posted_ms > :since order by n",
                        {std::int64_t{since.time_since_epoch().count()}})));
  std::map<WindowKey, Mark> out;
  for (const auto& [body, hash, time] : rows) {
    TILLSYN_TRY(order, orders::parse_order(body));
    const auto* outcome = std::get_if<orders::Outcome>(&order.payload.body);
    if (!outcome) continue;
    const std::string type = orders::type_name(order.payload.body);
    Mark& mark = out[{outcome->resident, civil::format_date(outcome->window.date), outcome->window.id}];
    if (rank_of(type) < mark.rank) continue;
    mark = {rank_of(type), {{"type", type}, {"order", hash}, {"time", time}}};
  }
  return out;
}

Json row(const orders::ScheduleOrder& order, const civil::Occurrence& window, const std::string* hub,
         const Result<const civil::Schedule*>& in_force, const std::map<WindowKey, Mark>& marks) {
  const auto mark = marks.find({order.resident, civil::format_date(window.date), window.window});
  return {{"resident", order.resident},
          {"group", order.group},
          {"hub", hub ? Json(*hub) : Json()},
          {"window", {{"id", window.window}, {"date", civil::format_date(window.date)}}},
          {"start", format_instant(window.start)},
          {"end", format_instant(window.end)},
          {"in_force", in_force.ok()},
          {"reason", in_force.ok() ? Json() : Json(in_force.error().reason)},
          {"outcome", mark == marks.end() ? Json() : mark->second.text}};
}

}  // namespace

Result<Json> tonight(Provider& provider, Instant now, const std::function<bool(const std::string& group)>& may_see) {
  TILLSYN_TRY(known, marks(provider, now - 2 * kBack));
  std::vector<Json> items;
  for (const orders::Order* order : provider.book.all()) {
    const auto* schedule = std::get_if<orders::ScheduleOrder>(&order->payload.body);
    if (!schedule || !may_see(schedule->group)) continue;
    const auto hubs = provider.book.hubs_of(schedule->resident);
    const std::string* hub = hubs.empty() ? nullptr : &hubs.front();
    const auto in_force = provider.book.schedule_in_force(hub ? *hub : std::string(), schedule->resident, now);
    for (const auto& window : civil::occurrences(schedule->schedule, now - kBack, now + kAhead)) {
      items.push_back(row(*schedule, window, hub, in_force, known));
    }
  }
  std::stable_sort(items.begin(), items.end(), [](const Json& a, const Json& b) { return a["start"] < b["start"]; });
  return Json{{"items", items}};
}

}  // namespace tillsyn::care
