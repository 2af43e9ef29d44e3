#include "relay/api/caller.h"
#include "relay/care/supervisions.h"
#include "relay/http/page.h"

namespace tillsyn::api {
namespace {

using care::Supervision;
using http::ApiRequest;
using http::ApiResponse;

constexpr std::chrono::hours kBack{24};
constexpr std::chrono::hours kAhead{36};
constexpr std::chrono::days kLongest{32};

Json mark_json(const care::Mark& mark) {
  return {{"type", mark.type}, {"order", mark.order}, {"time", format_instant(mark.posted)}};
}

Json supervision_json(const Supervision& one, Instant now) {
  Json tries = Json::array();
  for (const auto& mark : one.tries) tries.push_back(mark_json(mark));
  return {{"resident", one.resident},
          {"group", one.group},
          {"window", {{"id", one.window}, {"date", civil::format_date(one.date)}}},
          {"start", format_instant(one.start)},
          {"end", format_instant(one.end)},
          {"schedule", one.schedule},
          {"state", care::state_name(one.state(now))},
          {"tries", std::move(tries)},
          {"outcome", one.outcome ? mark_json(*one.outcome) : Json()}};
}

Result<Instant> time_in(const ApiRequest& request, const char* name, Instant otherwise) {
  const auto given = request.query.find(name);
  if (given == request.query.end()) return otherwise;
  auto time = parse_instant(given->second);
  if (!time) return malformed("malformed", std::string(name) + " must be a time");
  return time;
}

struct Span {
  Instant from;
  Instant to;
};

Result<Span> span_in(const Caller& caller, const ApiRequest& request) {
  TILLSYN_TRY(from, time_in(request, "from", caller.now - kBack));
  TILLSYN_TRY(to, time_in(request, "to", caller.now + kAhead));
  if (from >= to || to - from > kLongest) return malformed("malformed", "from must be at most 32 days before to");
  return Span{from, to};
}

ApiResponse list_supervisions(const Caller& caller, const ApiRequest& request) {
  const auto asked = http::page_asked(request);
  if (!asked) return http::problem(asked.error());
  const auto span = span_in(caller, request);
  if (!span) return http::problem(span.error());
  const auto may_see = [&](const std::string& group) { return may_see_names(caller, group); };
  const auto all = care::supervisions(caller.provider, span->from, span->to, may_see);
  if (!all) return http::problem(all.error());
  http::Page page(*asked);
  for (const Supervision& one : *all) {
    if (!page.add(care::place_of(one), [&] { return supervision_json(one, caller.now); })) break;
  }
  return http::json_response(std::move(page).json());
}

}  // namespace

std::vector<http::Route> supervision_routes(Services& services) {
  return {staff_route(services, "GET", "/v1/supervisions", list_supervisions)};
}

}  // namespace tillsyn::api
