#include "relay/care/tonight.h"

namespace tillsyn::care {
namespace {

constexpr std::chrono::hours kBack{24};
constexpr std::chrono::hours kAhead{36};

// The outcome, or what was tried last.
Json mark_json(const Supervision& one) {
  const Mark* mark = one.outcome ? &*one.outcome : one.tries.empty() ? nullptr : &one.tries.back();
  if (!mark) return {};
  return {{"type", mark->type}, {"order", mark->order}, {"time", format_instant(mark->posted)}};
}

}  // namespace

Json tonight_json(const orders::OrderBook& book, const Supervision& one, Instant now) {
  const auto hubs = book.hubs_of(one.resident);
  const auto in_force = book.schedule_in_force(hubs.empty() ? std::string() : hubs.front(), one.resident, now);
  return {{"resident", one.resident},
          {"group", one.group},
          {"hub", hubs.empty() ? Json() : Json(hubs.front())},
          {"window", {{"id", one.window}, {"date", civil::format_date(one.date)}}},
          {"start", format_instant(one.start)},
          {"end", format_instant(one.end)},
          {"in_force", in_force.ok()},
          {"reason", in_force.ok() ? Json() : Json(in_force.error().reason)},
          {"outcome", mark_json(one)}};
}

Result<std::vector<Supervision>> tonight(Provider& provider, Instant now, const Groups& may_see) {
  return supervisions(provider, now - kBack, now + kAhead, may_see);
}

}  // namespace tillsyn::care
