#include "firmware/gate/papers.h"

#include "common/base/json.h"

namespace tillsyn::gate {
namespace {

std::int64_t milliseconds(Instant instant) { return instant.time_since_epoch().count(); }

Json bundle_json(const orders::Bundle* bundle) {
  if (bundle == nullptr) return nullptr;
  return {{"root_list_version", bundle->version.root_list_version}, {"counter", bundle->version.counter}};
}

Json status(const StatusFacts& facts) {
  const orders::RootList* list = facts.trust.root_list();
  const orders::Assignment* assignment = facts.desk.assignment();
  const auto slots = facts.desk.slots();
  Json json;
  json["state"] = facts.desk.state();
  json["clock"] = facts.clock.is_trusted() ? "trusted" : "untrusted";
  json["root_list"] = list == nullptr ? 0 : list->version;
  json["bundle"] = bundle_json(facts.trust.bundle());
  json["resident"] = assignment == nullptr ? Json() : Json(assignment->resident);
  json["head"] = assignment == nullptr ? Json() : Json(to_base64url(orders::head_of(slots)));
  json["slots"] = orders::slots_json(slots);
  json["ledger"] = {{"size", facts.log_seen.size}, {"root", to_base64url(facts.log_seen.root)}};
  json["formats"] = orders::formats_json({});
  json["views"] = facts.views;
  json["paused_by_resident"] = facts.desk.standing().is_paused_by_resident;
  json["faults"] = facts.faults;
  return json;
}

}  // namespace

std::string status_text(const StatusFacts& facts, const Challenge& challenge) {
  Json json = status(facts);
  json["challenge"] = to_base64url(challenge);
  json["mono"] = facts.clock.mono.count();
  json["events"] = facts.events;
  json["events_acked"] = facts.events_acknowledged;
  return canonical_json(json);
}

std::string status_without_passing(const StatusFacts& facts) { return canonical_json(status(facts)); }

orders::Answer answer_to(const orders::Order& order, const OrderDesk& desk, const Trust& trust, const std::string& hub,
                         const board::ClockReading& arrival) {
  const auto& view = std::get<orders::View>(order.payload.body);
  orders::Answer answer;
  answer.hub = hub;
  answer.order = order.hash;
  answer.resident = view.resident;
  answer.camera = view.camera;
  answer.viewer_key = view.viewer_key.point();
  answer.mono = arrival.mono.count();
  answer.clock_trusted = arrival.is_trusted();
  if (arrival.is_trusted()) answer.utc_ms = milliseconds(arrival.utc);
  answer.slots = desk.slots();
  answer.head = orders::head_of(answer.slots);
  if (trust.bundle() != nullptr) answer.bundle = trust.bundle()->version;
  return answer;
}

Result<Document> sealed_answer(const orders::Answer& answer, const board::KeyStore& keys) {
  TILLSYN_TRY(envelope, keys.envelope("answer", orders::format(answer)));
  return Document{ipc::MessageType::kAnswer, std::move(envelope)};
}

std::string relays_text(const orders::RootList& list) {
  Json relays = Json::array();
  for (const auto& relay : list.relays)
    relays.push_back({{"host", relay.host}, {"ca", relay.ca ? Json(*relay.ca) : Json()}});
  return canonical_json(relays);
}

}  // namespace tillsyn::gate
