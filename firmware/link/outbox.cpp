#include "firmware/link/outbox.h"

#include <algorithm>

namespace tillsyn::link {
namespace {

constexpr std::size_t kMaxPayload = 64 * 1024;

Result<Json> read_envelope(std::string_view text) {
  TILLSYN_TRY(json, parse_json(text, {ipc::kMaxMessageBytes, 4}));
  JsonReader in(json, "envelope");
  in.text("payload", kMaxPayload);
  in.bytes("sig", 64);
  TILLSYN_CHECK(in.finish());
  return json;
}

Result<std::uint64_t> number_of(const Json& envelope) {
  TILLSYN_TRY(payload, parse_json(envelope["payload"].get_ref<const std::string&>()));
  JsonReader in(payload, "event");
  const std::int64_t number = in.integer("n", 1, (std::int64_t{1} << 53) - 1);
  if (!in.ok()) return malformed("outbox", "event without number");
  return static_cast<std::uint64_t>(number);
}

std::size_t size_of(const Json& envelope) { return envelope["payload"].get_ref<const std::string&>().size() + 128; }

}  // namespace

Outbox::Lane& Outbox::lane(ipc::MessageType type) {
  if (type == ipc::MessageType::kAnswer) return answers_;
  return type == ipc::MessageType::kReceipt ? receipts_ : countersigns_;
}

Result<void> Outbox::add(ipc::MessageType type, std::string_view envelope) {
  auto read = read_envelope(envelope);
  if (!read) return malformed("outbox", read.error().message);
  if (type == ipc::MessageType::kEvent) return add_event(std::move(read).value());
  Lane& to = lane(type);
  if (to.waiting.size() >= kMaxEach) return Error{Code::kUnavailable, "outbox", std::string("no room for ") + to.name};
  to.waiting.push_back(std::move(read).value());
  return {};
}

Result<void> Outbox::add_event(Json envelope) {
  const auto number = number_of(envelope);
  if (!number) return malformed("outbox", number.error().message);
  // After the first that had no room none is taken until gate begins anew: a gap would never be acknowledged.
  if ((missed_events_ || events_.size() >= kMaxEach) && !events_.contains(*number)) {
    missed_events_ = true;
    return Error{Code::kUnavailable, "outbox", "no room for events"};
  }
  events_.emplace(*number, std::move(envelope));
  return {};
}

std::optional<Json> Outbox::next() {
  first_offered_event_ = events_.empty() ? std::nullopt : std::optional(events_.begin()->first);
  if (size() == 0) return std::nullopt;
  Json report;
  std::size_t room = kMaxBatchBytes;
  for (Lane* lane : {&answers_, &receipts_, &countersigns_}) {
    Json& list = report[lane->name] = Json::array();
    lane->offered = 0;
    for (const Json& item : lane->waiting) {
      if (list.size() >= kMaxBatch || size_of(item) > room) break;
      room -= size_of(item);
      list.push_back(item);
      ++lane->offered;
    }
  }
  Json& events = report["events"] = Json::array();
  for (const auto& [number, item] : events_) {
    if (events.size() >= kMaxBatch || size_of(item) > room) break;
    room -= size_of(item);
    events.push_back(item);
  }
  return report;
}

bool Outbox::taken(std::uint64_t events_acked) {
  bool changed = !first_offered_event_;
  for (Lane* lane : {&answers_, &receipts_, &countersigns_}) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(lane->offered, lane->waiting.size()));
    changed = changed || count > 0;
    lane->waiting.erase(lane->waiting.begin(), lane->waiting.begin() + count);
    lane->offered = 0;
  }
  acked(events_acked);
  return changed || !events_.contains(*first_offered_event_);
}

void Outbox::acked(std::uint64_t events_acked) { events_.erase(events_.begin(), events_.upper_bound(events_acked)); }

std::size_t Outbox::size() const {
  return answers_.waiting.size() + receipts_.waiting.size() + countersigns_.waiting.size() + events_.size();
}

bool Outbox::take_missed_events() { return std::exchange(missed_events_, false); }

}  // namespace tillsyn::link
