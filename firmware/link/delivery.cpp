#include "firmware/link/delivery.h"

namespace tillsyn::link {
namespace {

constexpr std::size_t kMaxReason = 64;

bool is_word(const std::string& text) {
  return !text.empty() && text.size() <= kMaxReason &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
}

Error problem(const Reply& reply) {
  const bool later = reply.status >= 500 || reply.status == 408 || reply.status == 429;
  std::string reason = "http_" + std::to_string(reply.status);
  if (const auto json = parse_foreign_json(reply.body); json && json->is_object()) {
    const auto code = json->find("code");
    if (code != json->end() && code->is_string() && is_word(code->get_ref<const std::string&>())) reason = *code;
  }
  return {later ? Code::kUnavailable : Code::kRefused, reason, "relay answered " + std::to_string(reply.status)};
}

void add(Delivery& delivery, ipc::MessageType type, const Json& item) {
  if (item.is_null()) return;
  const std::string text = item.is_object() ? item.dump() : std::string();
  if (!ipc::check_outgoing(type, text.size(), ipc::Side::kLink)) {
    ++delivery.skipped;
    return;
  }
  const ByteView bytes = view_of(text);
  delivery.messages.push_back({type, Bytes(bytes.begin(), bytes.end())});
}

const Json& member(const Json& answer, const char* name) {
  static const Json kNothing;
  const auto found = answer.find(name);
  return found == answer.end() ? kNothing : *found;
}

void add_list(Delivery& delivery, ipc::MessageType type, const Json& list) {
  if (!list.is_array()) return;
  for (const Json& item : list) add(delivery, type, item);
}

}  // namespace

Result<Json> read_reply(const Result<Reply>& reply) {
  if (!reply) return reply.error();
  if (reply->status != 200 && reply->status != 201) return problem(*reply);
  auto json = parse_json(reply->body, {Http::kMaxReplyBytes, 16});
  if (!json || !json->is_object()) return malformed("relay_reply", "relay's answer is no JSON object");
  return json;
}

Delivery read_delivery(const Json& answer) {
  Delivery delivery;
  add(delivery, ipc::MessageType::kRootList, member(answer, "root_list"));
  add(delivery, ipc::MessageType::kBundle, member(answer, "bundle"));
  add_list(delivery, ipc::MessageType::kOrder, member(answer, "orders"));
  add_list(delivery, ipc::MessageType::kOffer, member(answer, "views"));
  const Json& acked = member(answer, "events_acked");
  if (!acked.is_number_integer() || acked.get<std::int64_t>() <= 0) return delivery;
  delivery.events_acked = acked.get<std::uint64_t>();
  Bytes number;
  append_u64(number, delivery.events_acked);
  delivery.messages.push_back({ipc::MessageType::kEventsAcked, number});
  return delivery;
}

}  // namespace tillsyn::link
