#include "firmware/link/reporter.h"

#include <spdlog/spdlog.h>

#include "firmware/link/delivery.h"

namespace tillsyn::link {

void Reporter::tick(TimePoint now, bool enrolled) {
  const bool has_news = changed_ || outbox_.size() > 0;
  const Relay* relay = relays_.current();
  if (enrolled && has_news && ticket_ == 0 && now >= next_ && relay) post(*relay);
  // Gate has events on disk that had no room here; now that there is some, it is asked to say them again.
  if (outbox_.size() == 0 && outbox_.take_missed_events()) gate_.restart();
}

void Reporter::status_changed(std::string_view status) {
  auto json = parse_json(status);
  if (!json) return spdlog::warn("gate's status is no JSON");
  status_ = std::move(json).value();
  changed_ = true;
}

void Reporter::gate_is_down() {
  status_ = nullptr;
  changed_ = false;
}

void Reporter::post(const Relay& relay) {
  Json body = outbox_.next().value_or(Json{{"answers", Json::array()},
                                           {"receipts", Json::array()},
                                           {"countersigns", Json::array()},
                                           {"events", Json::array()}});
  const bool with_status = std::exchange(changed_, false);
  body["format"] = 1;
  body["status"] = with_status ? status_ : Json();  // polls have brought newer ones since it was told: theirs count
  Request request;
  request.relay = relay;
  request.path = "/hub/v1/report";
  request.body = body.dump();
  ticket_ = http_.send(request, [this, with_status](const Result<Reply>& reply) { answered(reply, with_status); });
}

void Reporter::answered(const Result<Reply>& reply, bool with_status) {
  ticket_ = 0;
  const TimePoint now = std::chrono::steady_clock::now();
  const auto json = read_reply(reply);
  if (!json) {
    changed_ = changed_ || (with_status && gate_.is_up());
    next_ = now + relays_.failed(json.error());
    return;
  }
  const Delivery delivery = read_delivery(*json);
  const bool stuck = !outbox_.taken(delivery.events_acked);
  for (const ToGate& message : delivery.messages) {
    if (message.type == ipc::MessageType::kEventsAcked) gate_.say(message.type, message.body);
  }
  if (stuck) next_ = now + relays_.failed({Code::kUnavailable, "events_not_taken", "a report changed nothing"});
  if (!stuck) relays_.succeeded();
}

}  // namespace tillsyn::link
