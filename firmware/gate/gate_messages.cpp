// What link says, and what the button says.
#include <spdlog/spdlog.h>

#include <utility>

#include "common/crypto/p256.h"
#include "firmware/gate/gate.h"

namespace tillsyn::gate {
namespace {

// How long messages may keep the loop from judging and telling the fuse: what is left waits in the socket.
constexpr std::chrono::milliseconds kAtATime{50};

}  // namespace

void Gate::say_all(std::vector<Document> documents) {
  for (auto& document : documents) link_.say(std::move(document));
}

void Gate::say_status() {
  const auto challenge = views_.challenges().fresh(board::boottime());
  link_.say({ipc::MessageType::kPollStatus, status_text(status_facts(), challenge)});
}

Result<void> Gate::take_messages() {
  const auto enough = board::monotonic_raw() + kAtATime;
  while (board::monotonic_raw() < enough) {
    const auto message = link_.receive();
    if (!message) return {};
    TILLSYN_CHECK(take(*message));
  }
  return {};
}

Result<void> Gate::take(const ipc::Message& message) {
  using Type = ipc::MessageType;
  switch (message.type) {
    case Type::kHello:
      return greet();
    case Type::kPollWanted:
      TILLSYN_CHECK(read_numbers());
      return say_status(), Result<void>();
    case Type::kLife:
      if (!views_.hear(message.body, now_.mono)) link_.count_nonsense();
      return {};
    case Type::kStreamLost:
      return views_.stream_lost(message.body, *home_, now_);
    case Type::kEventsAcked:
      return take_acknowledgement(static_cast<std::int64_t>(read_u64(message.body)));
    case Type::kCheckWanted:
      return begin_check(message.body[0] == 1), Result<void>();
    case Type::kLinkKey:
      return take_link_key(message.body);
    default:
      return take_document(message);
  }
}

Result<void> Gate::take_document(const ipc::Message& message) {
  const std::string text = text_of(message.body);
  switch (message.type) {
    case ipc::MessageType::kRootList:
      return take_root_list(text);
    case ipc::MessageType::kBundle:
      return take_bundle(text);
    case ipc::MessageType::kOrder:
      return take_order(text);
    case ipc::MessageType::kOffer:
      return views_.take_offer(text, *home_, now_, board::boottime());
    default:
      return link_.count_nonsense(), Result<void>();
  }
}

Result<void> Gate::greet() {
  Bytes hello{ipc::kProtocolVersion};
  append(hello, view_of(parts_.keys->hub()));
  link_.say({ipc::MessageType::kGateHello, text_of(hello)});
  if (const auto* list = home_->trust.root_list()) link_.say({ipc::MessageType::kRelays, relays_text(*list)});
  told_status_.clear();
  TILLSYN_TRY(acknowledged, home_->store.events_acknowledged());
  link_.begin_events(acknowledged);
  return {};
}

Result<void> Gate::take_root_list(const std::string& envelope) {
  const auto taken = home_->trust.take_root_list(envelope, now_);
  if (!taken) return trust_not_taken(taken.error());
  if (!*taken) return {};
  link_.say({ipc::MessageType::kRelays, relays_text(*home_->trust.root_list())});
  return trust_taken("root_list_accepted");
}

Result<void> Gate::take_bundle(const std::string& envelope) {
  const auto taken = home_->trust.take_bundle(envelope, now_);
  if (!taken && taken.error().code == Code::kWaiting) {
    waiting_bundle_ = envelope;
    return {};
  }
  if (!taken) return trust_not_taken(taken.error());
  return *taken ? trust_taken("bundle_accepted") : Result<void>();
}

Result<void> Gate::trust_taken(const char* event_kind) {
  TILLSYN_CHECK(log(event_kind));
  TILLSYN_TRY(floor, home_->floor());
  parts_.clock->raise_floor(floor);
  if (const auto bundle = std::exchange(waiting_bundle_, std::nullopt)) TILLSYN_CHECK(take_bundle(*bundle));
  return judge_waiting_orders();
}

Result<void> Gate::trust_not_taken(const Error& error) {
  if (error.code == Code::kIo) return error;
  if (error.code == Code::kMalformed) link_.count_nonsense();
  orders::Event event;
  event.kind = "trust_refused";
  event.reason = error.reason;
  return home_->log.append_counted(std::move(event), {}, now_);
}

Result<void> Gate::take_order(std::string_view text) {
  TILLSYN_TRY(documents, home_->desk.take(text, now_, board::boottime()));
  if (documents.empty()) link_.count_nonsense();
  say_all(std::move(documents));
  return {};
}

Result<void> Gate::judge_waiting_orders() {
  TILLSYN_TRY(documents, home_->desk.judge_waiting(now_, board::boottime()));
  say_all(std::move(documents));
  return {};
}

// The same key gets the same number again: link asks each time it enrols.
Result<void> Gate::take_link_key(ByteView point) {
  const auto key = crypto::P256PublicKey::from_point(point);
  if (!key) return link_.count_nonsense(), Result<void>();
  TILLSYN_TRY(held, home_->store.link_key());
  LinkKeyNumber number{key->point(), 1};
  if (held) number.n = held->point == key->point() ? held->n : held->n + 1;
  TILLSYN_CHECK(home_->store.save_link_key(number));
  const orders::LinkKey request{parts_.keys->device_key(), *key, number.n};
  TILLSYN_TRY(envelope, parts_.keys->envelope("link-key", orders::format(request)));
  link_.say({ipc::MessageType::kLinkKeyEnvelope, std::move(envelope)});
  return {};
}

Result<void> Gate::take_acknowledgement(std::int64_t n) {
  TILLSYN_TRY(held, home_->store.events_acknowledged());
  TILLSYN_TRY(last, home_->store.last_event());
  if (n < 0 || n > (last ? last->n : 0)) return link_.count_nonsense(), Result<void>();
  if (n < held) return link_.begin_events(n), Result<void>();  // a relay that was put back from a backup has lost some
  return n > held ? home_->store.acknowledge_events(n, now_.utc) : Result<void>();
}

Result<void> Gate::read_button() {
  while (true) {
    const auto press = parts_.button->read();
    if (!press) {
      spdlog::error("button: {}", press.error().message);
      return {};
    }
    if (!*press) return {};
    TILLSYN_CHECK(take_press(**press));
  }
}

Result<void> Gate::take_press(board::Press press) {
  switch (press) {
    case board::Press::kShort:
      return button_pressed();
    case board::Press::kHeld:
      return button_held();
    case board::Press::kStuck:
      break;
  }
  orders::Event event;
  event.kind = "fault";
  event.reason = "button_stuck";
  return home_->log.append_counted(std::move(event), {}, now_);
}

// What cannot be written now is not forgotten: the camera is closed until the store is back, and the press taken then.
Result<void> Gate::button_pressed() {
  const auto taken = home_->button_pressed(now_);
  if (!taken) is_press_waiting_ = !is_press_waiting_;
  return taken;
}

Result<void> Gate::button_held() {
  if (!home_->button_held(board::boottime())) return log("button_held", "paused_by_resident");
  TILLSYN_CHECK(log("button_held"));
  TILLSYN_CHECK(judge_waiting_orders());
  // A hub that has been released and not assigned anew: the hand on its button ends it.
  return home_->desk.release() == nullptr ? Result<void>() : destroy_keys("button_held");
}

}  // namespace tillsyn::gate
