#include "relay/care/history.h"

#include <algorithm>

#include "common/base/json.h"
#include "common/orders/device_documents.h"
#include "common/orders/order.h"

namespace tillsyn::care {
namespace {

constexpr std::chrono::days kForgetAfter{7};

std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }
Instant instant_of(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

// What is signed was judged when it came; what it says is all that is wanted here.
Result<std::string> signed_text(const std::string& body) {
  const Json outer = Json::parse(body, nullptr, false);
  const auto payload = outer.is_object() ? outer.find("payload") : outer.end();
  if (!outer.is_object() || payload == outer.end() || !payload->is_string()) {
    return Error{Code::kIo, "store_fault", "what was accepted cannot be read any more"};
  }
  return payload->get<std::string>();
}

Result<orders::Payload> payload_of(const std::string& body) {
  TILLSYN_TRY(text, signed_text(body));
  return orders::parse_payload(text);
}

void add(Timeline& timeline, Instant from, const std::string& hash, orders::Body body) {
  if (auto* schedule = std::get_if<orders::ScheduleOrder>(&body)) {
    timeline.schedules.push_back({from, hash, std::move(*schedule)});
  } else if (auto* consent = std::get_if<orders::Consent>(&body)) {
    timeline.consents.push_back({from, hash, std::move(*consent)});
  } else if (auto* pause = std::get_if<orders::Pause>(&body)) {
    timeline.pauses.push_back({from, hash, std::move(*pause)});
  } else {
    timeline.pauses.push_back({from, hash, std::nullopt});
  }
}

}  // namespace

Result<const std::map<std::string, Timeline>*> History::timelines() {
  TILLSYN_CHECK(read_standing());
  TILLSYN_CHECK(read_presses());
  return &timelines_;
}

Result<void> History::read_presses() {
  TILLSYN_TRY(rows, (database_.select<std::int64_t, std::string, std::string>(
                        "select seq, hash, body from documents where what in ('resident_paused', 'resident_resumed') "
                        "and kind = 'event' and seq > :seq order by seq",
                        {presses_read_})));
  for (const auto& [seq, hash, body] : rows) {
    TILLSYN_TRY(text, signed_text(body));
    TILLSYN_TRY(event, orders::parse_event(text));
    presses_read_ = seq;
    if (!event.resident) continue;
    timelines_[*event.resident].own_pauses[event.hub].push_back({event.time, hash, event.kind == "resident_paused"});
  }
  return {};
}

Result<void> History::read_standing() {
  TILLSYN_TRY(rows, (database_.select<std::int64_t, std::string, std::string, std::string, std::int64_t>(
                        "select n, hash, owner, body, posted_ms from orders where slot in ('schedule', 'consent', "
                        "'pause') and n > :n order by n",
                        {standing_read_})));
  for (const auto& [n, hash, owner, body, posted] : rows) {
    TILLSYN_TRY(payload, payload_of(body));
    add(timelines_[owner], instant_of(posted), hash, std::move(payload.body));
    standing_read_ = n;
  }
  return {};
}

// Keeps a week more than was asked for, so that asking again reads nothing twice.
void History::forget_marks_before(Instant since) {
  if (!marks_since_ || since - *marks_since_ < kForgetAfter) return;
  std::erase_if(marks_, [&](const Seen& seen) { return seen.mark.posted < since; });
  marks_since_ = since;
}

Result<Marks> History::marks(Instant since) {
  forget_marks_before(since);
  if (!marks_since_ || since < *marks_since_) {
    marks_.clear();
    marks_read_ = 0;
    marks_since_ = since;
  }
  TILLSYN_CHECK(read_marks(*marks_since_));
  Marks out;
  for (const Seen& seen : marks_) {
    if (seen.mark.posted >= since) out[seen.window].push_back(seen.mark);
  }
  return out;
}

Result<void> History::read_marks(Instant since) {
  TILLSYN_TRY(rows, (database_.select<std::int64_t, std::string, std::string, std::int64_t>(
                        "select n, hash, body, posted_ms from orders where slot is null and n > :n and posted_ms >= "
                        ":since order by n",
                        {marks_read_, ms_of(since)})));
  for (const auto& [n, hash, body, posted] : rows) {
    TILLSYN_TRY(payload, payload_of(body));
    marks_read_ = n;
    const auto* outcome = std::get_if<orders::Outcome>(&payload.body);
    if (!outcome) continue;
    marks_.push_back({{outcome->resident, outcome->window.date, outcome->window.id},
                      {orders::type_name(payload.body), hash, instant_of(posted)}});
  }
  return {};
}

}  // namespace tillsyn::care
