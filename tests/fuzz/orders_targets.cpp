#include <string_view>

#include "common/base/json.h"
#include "common/civil/windows.h"
#include "common/orders/bundle.h"
#include "common/orders/device_documents.h"
#include "common/orders/order.h"
#include "common/orders/root_list.h"
#include "common/orders/trust_envelope.h"
#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {
namespace {

// What `parse` takes, `format` writes in one spelling, which `parse` reads again.
template <typename Parse, typename Format>
bool reads_back(std::string_view text, Parse parse, Format format) {
  const auto value = parse(text);
  if (!value) return false;
  const std::string written = format(*value);
  const auto again = parse(written);
  must(again.ok(), "what was accepted is written in a form that is accepted");
  must(format(*again) == written, "a written form is its own");
  return true;
}

Result<orders::TrustEnvelope> parse_envelope(std::string_view text) {
  return orders::parse_trust_envelope(text, orders::kMaxRootListBytes);
}

template <typename Document>
std::string format_document(const Document& document) {
  return orders::format(document);
}

}  // namespace

bool schedule(ByteView bytes) {
  const auto json = parse_json(text_of(bytes));
  if (!json) return false;
  const auto value = civil::parse_schedule(*json);
  if (!value) return false;
  static const Instant night_of_the_change = *parse_instant("2026-03-29T00:59:59Z");
  const auto next = civil::next_change(*value, night_of_the_change);
  const bool open = civil::is_open(*value, night_of_the_change);
  if (next) must(*next > night_of_the_change && civil::is_open(*value, *next) != open, "openness changes at next_change");
  const auto windows = civil::occurrences(*value, night_of_the_change, night_of_the_change + std::chrono::milliseconds(1));
  must(windows.empty() != open, "a schedule is open exactly during its windows");
  return true;
}

bool payload(ByteView bytes) { return reads_back(text_of(bytes), orders::parse_payload, orders::format_payload); }

bool order(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto hash = orders::order_hash_in(text);
  const auto value = orders::parse_order(text);
  if (!value) return false;
  must(value->text == text, "an order is kept as it came");
  must(hash.ok() && *hash == value->hash, "an order has one hash");
  const auto again = orders::parse_order(orders::format_order(value->payload_text, value->signatures));
  must(again.ok() && again->hash == value->hash, "an order reads back");
  return true;
}

bool root_list(ByteView bytes) { return reads_back(text_of(bytes), orders::parse_root_list, orders::format_root_list); }
bool bundle(ByteView bytes) { return reads_back(text_of(bytes), orders::parse_bundle, orders::format_bundle); }
bool fleet_root(ByteView bytes) { return reads_back(text_of(bytes), orders::parse_fleet_root, orders::format_fleet_root); }
bool trust_envelope(ByteView bytes) { return reads_back(text_of(bytes), parse_envelope, orders::format_trust_envelope); }

bool device_document(ByteView bytes) {
  const std::string text = text_of(bytes);
  const int kinds = reads_back(text, orders::parse_receipt, format_document<orders::Receipt>) +
                    reads_back(text, orders::parse_answer, format_document<orders::Answer>) +
                    reads_back(text, orders::parse_event, format_document<orders::Event>) +
                    reads_back(text, orders::parse_link_key, format_document<orders::LinkKey>) +
                    reads_back(text, orders::parse_countersign, format_document<orders::Countersign>);
  must(kinds <= 1, "a document is of one kind");
  must(!orders::open_link_key(text).ok(), "nobody signs without the key");
  return kinds == 1;
}

}  // namespace tillsyn::fuzz
