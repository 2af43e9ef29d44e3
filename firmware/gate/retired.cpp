#include "firmware/gate/retired.h"

#include <poll.h>

#include <array>
#include <filesystem>

#include "common/base/json.h"
#include "common/orders/device_documents.h"
#include "firmware/board/clock.h"

namespace tillsyn::gate {
namespace {

constexpr int kTickMs = 100;

// The hub that has said that it destroys its key.
Result<std::optional<std::string>> destroyed_hub(Store& store) {
  TILLSYN_TRY(stored, store.newest_event_of("keys_destroyed"));
  if (!stored) return std::optional<std::string>();
  TILLSYN_TRY(envelope, parse_json(stored->envelope));
  TILLSYN_TRY(event, orders::parse_event(envelope.at("payload").get<std::string>()));
  return std::optional(event.hub);
}

// What the relay knows to be here, so that it sends nothing anew.
Result<std::vector<orders::SlotEntry>> slots_in(Store& store, const std::string& hub) {
  orders::OrderBook book;
  TILLSYN_TRY(texts, store.standing_payloads());
  for (const auto& text : texts) {
    TILLSYN_TRY(payload, orders::parse_payload(text));
    const orders::Hash hash = orders::order_hash(text);
    book.put({.text = {}, .payload_text = text, .payload = std::move(payload), .hash = hash, .signatures = {}});
    book.countersigned(hash);
  }
  const orders::Order* release = book.at("assignment", hub);
  const std::string* resident = release == nullptr ? nullptr : orders::resident_of(release->payload.body);
  return book.slots(hub, resident == nullptr ? std::string_view() : std::string_view(*resident));
}

}  // namespace

Result<std::optional<std::string>> Retired::find(const board::KeyPlace& keys, const std::string& store_path) {
  if (!std::filesystem::exists(store_path)) return std::optional<std::string>();
  TILLSYN_TRY(store, Store::open(store_path));
  TILLSYN_TRY(hub, destroyed_hub(store));
  TILLSYN_TRY(there, keys.has_key());
  if (hub && there) {  // said, and not done
    TILLSYN_TRY(left, keys.open());
    if (left->hub() != *hub) return Error{Code::kIo, "key_store", "the store is of hub " + *hub + ", the key is not"};
    TILLSYN_CHECK(keys.destroy());
  }
  if (hub) return hub;
  if (there) return std::optional<std::string>();
  return Error{Code::kIo, "key_store", "the device key is gone, and this hub has not destroyed it"};
}

Retired::Retired(Parts parts)
    : parts_(std::move(parts)), pulse_(parts_.fuse.get()), link_(std::move(parts_.listener)) {}

Result<void> Retired::run() {
  pulse_.judged(board::monotonic_raw(), std::nullopt);
  pulse_.start();
  while (true) {
    std::array<pollfd, 3> fds{
        {{parts_.stop.get(), POLLIN, 0}, {link_.fd(), POLLIN, 0}, {link_.listener_fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), kTickMs);
    if (fds[0].revents != 0) return {};
    if (fds[2].revents != 0) link_.accept();
    while (const auto message = link_.receive()) TILLSYN_CHECK(take(*message));
    TILLSYN_CHECK(link_.pump(&parts_.store));
    pulse_.judged(board::monotonic_raw(), std::nullopt);
  }
}

Result<void> Retired::take(const ipc::Message& message) {
  if (message.type == ipc::MessageType::kHello) return greet();
  if (message.type == ipc::MessageType::kPollWanted) return say_status();
  if (message.type != ipc::MessageType::kEventsAcked) return {};
  const auto n = static_cast<std::int64_t>(read_u64(message.body));
  TILLSYN_TRY(last, parts_.store.last_event());
  TILLSYN_TRY(held, parts_.store.events_acknowledged());
  // Nothing is forgotten for its age: there is no clock here.
  return n > held && last && n <= last->n ? parts_.store.acknowledge_events(n, Instant()) : Result<void>();
}

Result<void> Retired::greet() {
  Bytes hello{ipc::kProtocolVersion};
  append(hello, view_of(parts_.hub));
  link_.say({ipc::MessageType::kGateHello, text_of(hello)});
  TILLSYN_TRY(acknowledged, parts_.store.events_acknowledged());
  link_.begin_events(acknowledged);
  return {};
}

Result<void> Retired::say_status() {
  TILLSYN_TRY(last, parts_.store.last_event());
  TILLSYN_TRY(acknowledged, parts_.store.events_acknowledged());
  TILLSYN_TRY(log_seen, parts_.store.checkpoint());
  TILLSYN_TRY(slots, slots_in(parts_.store, parts_.hub));
  const Json status = {{"state", "released"},
                       {"clock", "untrusted"},
                       {"root_list", 0},
                       {"bundle", nullptr},
                       {"resident", nullptr},
                       {"head", nullptr},
                       {"slots", orders::slots_json(slots)},
                       {"ledger", {{"size", log_seen.size}, {"root", to_base64url(log_seen.root)}}},
                       {"formats", orders::formats_json({})},
                       {"views", 0},
                       {"faults", {"keys_destroyed"}},
                       {"challenge", to_base64url(challenges_.fresh(board::boottime()))},
                       {"mono", board::monotonic_raw().count()},
                       {"events", last ? last->n : 0},
                       {"events_acked", acknowledged}};
  link_.say({ipc::MessageType::kPollStatus, canonical_json(status)});
  return {};
}

}  // namespace tillsyn::gate
