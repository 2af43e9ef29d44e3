#include "relay/care/supervisions.h"

#include <algorithm>

#include "common/civil/windows.h"

namespace tillsyn::care {
namespace {

constexpr std::chrono::hours kMarksBefore{24};   // what is signed about a window ahead of it
constexpr std::chrono::minutes kMostWarning{5};  // before a window's end

using Alarmed = std::map<WindowKey, Instant>;  // when the first alarm of a window was raised
using Found = std::map<WindowKey, Supervision>;

// What stood at `at`; nullptr before the first.
template <typename Body>
const Stood<Body>* at(const std::vector<Stood<Body>>& all, Instant at) {
  const auto next = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.from > at; });
  return next == all.begin() ? nullptr : &*std::prev(next);
}

bool is_withdrawn(const Timeline& timeline, Instant instant) {
  const auto* consent = at(timeline.consents, instant);
  return consent && !consent->body.terms;
}

// A schedule that has run out leaves its windows due.
civil::Schedule without_end(const civil::Schedule& schedule) {
  civil::Schedule out = schedule;
  out.valid_to.reset();
  return out;
}

void add_windows(const Timeline& timeline, std::size_t which, Instant from, Instant to, Found& found) {
  const auto& stood = timeline.schedules[which];
  from = std::max(from, stood.from);
  if (which + 1 < timeline.schedules.size()) to = std::min(to, timeline.schedules[which + 1].from);
  if (from >= to) return;
  for (const auto& one : civil::occurrences(without_end(stood.body.schedule), from, to)) {
    if (is_withdrawn(timeline, std::max(one.start, stood.from))) continue;
    Supervision row{
        stood.body.resident, stood.body.group, one.window, one.date, one.start, one.end, stood.hash, {}, {}};
    found.insert_or_assign(row.key(), std::move(row));
  }
}

// Whether any of its windows may be: most lists are of one group among many.
bool is_seen(const Timeline& timeline, const Groups& may_see) {
  return std::any_of(timeline.schedules.begin(), timeline.schedules.end(),
                     [&](const auto& stood) { return may_see(stood.body.group); });
}

// A pause counts when it holds at the window's end: else the rest of the window is there to look in.
std::optional<Mark> paused(const Timeline& timeline, const Supervision& row) {
  const auto* pause = at(timeline.pauses, row.end - std::chrono::milliseconds(1));
  if (!pause || !pause->body || pause->body->until < row.end) return std::nullopt;
  return Mark{"paused", pause->hash, pause->from};
}

// The same for the resident's own pause, at a hub that serves them still.
std::optional<Mark> paused_by_resident(const orders::OrderBook& book, const Timeline& timeline,
                                       const Supervision& row) {
  for (const std::string& hub : book.hubs_of(row.resident)) {
    const auto presses = timeline.own_pauses.find(hub);
    if (presses == timeline.own_pauses.end()) continue;
    const auto* last = at(presses->second, row.end - std::chrono::milliseconds(1));
    if (last && last->body) return Mark{"paused", last->hash, last->from};
  }
  return std::nullopt;
}

void put_pause(const orders::OrderBook& book, const Timeline& timeline, Supervision& row) {
  row.outcome = paused(timeline, row);
  if (row.outcome) return;
  row.outcome = paused_by_resident(book, timeline, row);
  row.is_paused_by_resident = row.outcome.has_value();
}

bool stays(const std::optional<Mark>& outcome) {
  return outcome && (outcome->type == "visit-taken" || outcome->type == "pause-known");
}

void put_mark(Supervision& row, const Mark& mark, Instant alarmed) {
  if (stays(row.outcome)) return;
  const bool has_alarm = mark.posted >= alarmed;
  if (mark.type == "visit-taken" && row.tries.empty() && mark.posted < row.end && !has_alarm) return;
  row.is_paused_by_resident = false;
  if (mark.type == "not-seen" || mark.type == "unable") {
    row.tries.push_back(mark);
    row.outcome.reset();
    return;
  }
  row.outcome = mark;
}

Result<Alarmed> first_alarms(Provider& provider, Instant since) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::string, std::string, std::int64_t>(
                        "select resident, window_date, window_id, min(raised_ms) from alarms where window_id is not "
                        "null and raised_ms >= :since group by resident, window_date, window_id",
                        {std::int64_t{since.time_since_epoch().count()}})));
  Alarmed out;
  for (const auto& [resident, date, window, raised] : rows) {
    TILLSYN_TRY(day, civil::parse_date(date));
    out[{resident, day, window}] = Instant(std::chrono::milliseconds(raised));
  }
  return out;
}

bool is_before(const Supervision& a, const Supervision& b) {
  return std::tie(a.start, a.resident, a.date, a.window) < std::tie(b.start, b.resident, b.date, b.window);
}

}  // namespace

Supervision::State Supervision::state(Instant now) const {
  if (outcome) return State::kDone;
  const bool is_in_vain = !tries.empty() && tries.back().type == "unable";
  if (now >= end || is_in_vain) return State::kVisit;
  if (now < start) return State::kUpcoming;
  const auto warning = std::min<Instant::duration>(kMostWarning, (end - start) / 2);
  return now >= end - warning ? State::kEnding : State::kOpen;
}

const char* state_name(Supervision::State state) {
  switch (state) {
    case Supervision::State::kUpcoming:
      return "upcoming";
    case Supervision::State::kOpen:
      return "open";
    case Supervision::State::kEnding:
      return "ending";
    case Supervision::State::kVisit:
      return "visit";
    default:
      return "done";
  }
}

std::string place_of(const Supervision& one) {
  return format_instant(one.start) + " " + one.resident + " " + civil::format_date(one.date) + " " + one.window;
}

Result<std::vector<Supervision>> supervisions(Provider& provider, Instant from, Instant to, const Groups& may_see) {
  TILLSYN_TRY(timelines, provider.history.timelines());
  TILLSYN_TRY(marks, provider.history.marks(from - kMarksBefore));
  TILLSYN_TRY(alarmed, first_alarms(provider, from - kMarksBefore));
  std::vector<Supervision> out;
  for (const auto& [resident, timeline] : *timelines) {
    if (!is_seen(timeline, may_see)) continue;
    Found found;
    for (std::size_t i = 0; i < timeline.schedules.size(); ++i) add_windows(timeline, i, from, to, found);
    for (auto& [key, row] : found) {
      if (!may_see(row.group)) continue;
      put_pause(provider.book, timeline, row);
      const auto alarm = alarmed.find(key);
      const Instant began = alarm == alarmed.end() ? Instant::max() : alarm->second;
      for (const Mark& mark : marks[key]) put_mark(row, mark, began);
      out.push_back(std::move(row));
    }
  }
  std::sort(out.begin(), out.end(), is_before);
  return out;
}

}  // namespace tillsyn::care
