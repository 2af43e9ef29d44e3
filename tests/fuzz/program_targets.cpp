#include "firmware/board/chrony_tracking.h"
#include "firmware/gate/lifeline.h"
#include "firmware/gate/offer.h"
#include "relay/hubs/messages.h"
#include "relay/sessions/messages.h"
#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {

bool offer(ByteView bytes) {
  const auto value = gate::parse_offer(text_of(bytes));
  if (!value) return false;
  must(parse_json(value->order, {.max_bytes = value->order.size()}).ok(), "an offer's order is JSON");
  return true;
}

bool chrony(ByteView bytes) {
  const auto value = board::decode_tracking(bytes, 0x01020304);
  if (!value) return false;
  must(bytes.size() == board::kTrackingBytes, "an answer has one length");
  must(value->root_distance >= board::Milliseconds(0), "no distance is below zero");
  must(!board::decode_tracking(bytes, 0x01020305).ok(), "an answer answers one question");
  return true;
}

bool life(ByteView bytes) {
  const auto value = gate::decode_life(bytes);
  if (!value) return false;
  Bytes again(value->stream.begin(), value->stream.end());
  append_u64(again, value->counter);
  append_u64(again, value->painted.value_or(~std::uint64_t{0}));
  append(again, value->mac);
  must(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "a sign of life has one spelling");
  gate::Lifeline line(crypto::Secret(32), gate::Milliseconds(0));
  must(!line.hear(*value, ~std::uint64_t{0}, gate::Milliseconds(0)).ok(), "nobody lives without the key");
  return true;
}

bool hub_message(ByteView bytes) {
  const std::string text = text_of(bytes);
  const int kinds = hubs::read_poll(text).ok() + hubs::read_report(text).ok() + hubs::read_enrol(text).ok();
  must(kinds <= 1, "a hub's message is of one kind");
  return kinds == 1;
}

bool live_message(ByteView bytes) {
  const auto value = sessions::read_message(text_of(bytes));
  if (!value) return false;
  const auto* view = std::get_if<sessions::StartView>(&*value);
  must(view == nullptr || parse_json(view->order).ok(), "a view's order is JSON");
  return true;
}

}  // namespace tillsyn::fuzz
