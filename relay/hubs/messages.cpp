#include "relay/hubs/messages.h"

namespace tillsyn::hubs {

namespace {

constexpr std::size_t kMaxCodeBytes = 64;

Result<Json> checked_status(const Json& status) {
  if (!status.is_null() && !status.is_object()) return malformed("member", "status must be an object or null");
  return status;
}

std::vector<Json> items(JsonReader& in, const char* name) {
  std::vector<Json> out;
  for (const auto& item : in.array(name, kMaxBatch)) {
    if (!item.is_object()) in.fail(name, "must hold envelopes");
    out.push_back(item);
  }
  return out;
}

// Signed texts and offers are JSON already: they are put in as they are, not read and written again.
std::string or_null(const std::string& text) { return text.empty() ? "null" : text; }

std::string list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) out += (out.size() > 1 ? "," : "") + text;
  return out + "]";
}

}  // namespace

Result<Json> read_poll(std::string_view body) {
  TILLSYN_TRY(json, parse_json(body));
  JsonReader in(json, "poll");
  in.integer("format", 1, 1);
  const Json& status = in.any("status");
  TILLSYN_CHECK(in.finish());
  return checked_status(status);
}

Result<ReportRequest> read_report(std::string_view body) {
  TILLSYN_TRY(json, parse_json(body));
  JsonReader in(json, "report");
  in.integer("format", 1, 1);
  ReportRequest out;
  out.status = in.any("status");
  out.report.answers = items(in, "answers");
  out.report.receipts = items(in, "receipts");
  out.report.countersigns = items(in, "countersigns");
  out.report.events = items(in, "events");
  TILLSYN_CHECK(in.finish());
  TILLSYN_CHECK(checked_status(out.status));
  return out;
}

Result<EnrolRequest> read_enrol(std::string_view body) {
  TILLSYN_TRY(json, parse_json(body));
  JsonReader in(json, "enrol");
  in.integer("format", 1, 1);
  EnrolRequest out;
  out.code = in.text("code", kMaxCodeBytes);
  out.link_key = in.object("link_key");
  TILLSYN_CHECK(in.finish());
  return out;
}

std::string format_trust(const Trust& trust) {
  return "{\"root_list\":" + or_null(trust.root_list) + ",\"bundle\":" + or_null(trust.bundle) + "}";
}

std::string format_poll_answer(const Work& work, const std::vector<std::string>& offers, std::uint64_t events_acked) {
  return "{\"root_list\":" + or_null(work.trust.root_list) + ",\"bundle\":" + or_null(work.trust.bundle) +
         ",\"orders\":" + list(work.orders) + ",\"views\":" + list(offers) +
         ",\"events_acked\":" + std::to_string(work.events_acked.value_or(events_acked)) + "}";
}

}  // namespace tillsyn::hubs
