#include <algorithm>

#include "relay/api/caller.h"
#include "relay/care/supervisions.h"

namespace tillsyn::api {
namespace {

using care::Supervision;
using http::ApiRequest;
using http::ApiResponse;

constexpr std::chrono::hours kBack{24};
constexpr std::chrono::hours kAhead{36};
constexpr std::chrono::days kLongest{32};
constexpr std::uint64_t kPage = 500;

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

// Where a row stands in the listing: text that sorts as the rows do.
std::string place_of(const Supervision& one) {
  return format_instant(one.start) + " " + one.resident + " " + civil::format_date(one.date) + " " + one.window;
}

Result<std::string> place_in(const ApiRequest& request) {
  const auto given = request.query.find("cursor");
  if (given == request.query.end()) return std::string();
  const auto bytes = from_base64url(given->second);
  if (!bytes) return malformed("malformed", "cursor must be one that this listing gave");
  return text_of(*bytes);
}

struct Page {
  Instant from;
  Instant to;
  std::string after;
  std::uint64_t count = kPage;
};

Result<Page> page_in(const Caller& caller, const ApiRequest& request) {
  TILLSYN_TRY(from, time_in(request, "from", caller.now - kBack));
  TILLSYN_TRY(to, time_in(request, "to", caller.now + kAhead));
  TILLSYN_TRY(after, place_in(request));
  TILLSYN_TRY(count, number_in(request, "count", kPage));
  if (from >= to || to - from > kLongest) return malformed("malformed", "from must be at most 32 days before to");
  if (count == 0 || count > kPage) return malformed("malformed", "count must be 1 to 500");
  return Page{from, to, after, count};
}

ApiResponse list_supervisions(const Caller& caller, const ApiRequest& request) {
  const auto page = page_in(caller, request);
  if (!page) return http::problem(page.error());
  const auto all = care::supervisions(caller.provider, page->from, page->to);
  if (!all) return http::problem(all.error());
  Json items = Json::array();
  Json next;
  std::string last;
  for (const Supervision& one : *all) {
    if (place_of(one) <= page->after || !may_see_names(caller, one.group)) continue;
    if (items.size() == page->count) {
      next = to_base64url(view_of(last));
      break;
    }
    items.push_back(supervision_json(one, caller.now));
    last = place_of(one);
  }
  return http::json_response({{"items", std::move(items)}, {"next", std::move(next)}});
}

}  // namespace

std::vector<http::Route> supervision_routes(Services& services) {
  return {staff_route(services, "GET", "/v1/supervisions", list_supervisions)};
}

}  // namespace tillsyn::api
