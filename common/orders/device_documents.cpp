#include "common/orders/device_documents.h"

#include <algorithm>
#include <array>

#include "common/orders/codec.h"

namespace tillsyn::orders {
namespace {

constexpr std::array<const char*, 5> kKindNames = {"answer", "receipt", "event", "link-key", "countersign"};
constexpr std::array<std::string_view, 27> kEventKinds = {
    "started",        "stopped",         "clock_trusted",   "clock_untrusted",  "root_list_accepted", "bundle_accepted",
    "trust_refused",  "order_accepted",  "order_refused",   "window_opened",    "window_closed",      "view_started",
    "view_ended",     "view_refused",    "outcome",         "camera_fault",     "camera_restored",    "link_lost",
    "link_back",      "fault",           "button_held",     "preflight_failed", "verdict_broken",     "key_end_due",
    "keys_destroyed", "resident_paused", "resident_resumed"};
constexpr std::size_t kMaxFormats = 8;
constexpr std::int64_t kNoLimit = kMaxInteger;

Result<Json> parse_device_payload(std::string_view payload) {
  return parse_format_one(payload, {.max_bytes = kMaxDevicePayloadBytes, .max_depth = 5});
}

void read_head(JsonReader& in, DeviceKind kind) {
  in.integer("format", 1, 1);
  if (in.text("type", 32) != device_kind_name(kind)) in.fail("type", "is not that of this document");
}

Json head_json(DeviceKind kind, const std::string& hub) {
  return {{"format", 1}, {"type", device_kind_name(kind)}, {"hub", hub}};
}

bool is_head_slot(std::string_view text) {
  constexpr std::array<std::string_view, 6> kSlots = {"acceptance", "assignment", "consent",
                                                      "device",     "pause",      "schedule"};
  return std::find(kSlots.begin(), kSlots.end(), text) != kSlots.end();
}

SlotEntry read_slot(JsonReader& in) {
  std::string slot = read_name(in, "slot", is_head_slot);
  const auto version = in.integer("version", 1, kMaxInteger);
  return {std::move(slot), version, read_hash(in, "order")};
}

std::vector<SlotEntry> read_slots(JsonReader& in) {
  auto out = read_list(in, "slots", 0, kMaxSlotEntries, read_slot);
  const auto not_rising = [](const SlotEntry& a, const SlotEntry& b) { return a.slot >= b.slot; };
  if (std::adjacent_find(out.begin(), out.end(), not_rising) != out.end()) in.fail("slots", "are not sorted");
  return out;
}

std::vector<std::int64_t> read_numbers(JsonReader& in, const char* name) {
  std::vector<std::int64_t> out;
  for (const Json& item : in.array(name, kMaxFormats)) {
    const auto number = item.is_number_integer() ? item.get<std::int64_t>() : 0;
    if (number < 1 || (!out.empty() && number <= out.back())) in.fail(name, "are not rising format numbers");
    out.push_back(number);
  }
  return out;
}

Formats read_formats(JsonReader& in) { return {read_numbers(in, "order"), read_numbers(in, "bundle")}; }

bool read_clock(JsonReader& in) {
  const std::string clock = in.text("clock", 16);
  if (clock != "trusted" && clock != "untrusted") in.fail("clock", "is not trusted or untrusted");
  return clock == "trusted";
}

const char* clock_name(bool trusted) { return trusted ? "trusted" : "untrusted"; }

Verdict::Kind read_verdict(JsonReader& in) {
  const std::string name = in.text("verdict", 16);
  for (const auto kind : {Verdict::Kind::kAccepted, Verdict::Kind::kRefused, Verdict::Kind::kWaiting}) {
    if (name == verdict_name(kind)) return kind;
  }
  in.fail("verdict", "is not known");
  return Verdict::Kind::kRefused;
}

std::optional<std::string> read_reason(JsonReader& in) {
  auto reason = in.optional_text("reason", kMaxReasonBytes);
  if (reason && reason->empty()) in.fail("reason", "is empty");
  return reason;
}

template <typename Read>
auto read_optional_object(JsonReader& in, const char* name, Read read) -> std::optional<decltype(read(in))> {
  const Json& value = in.any(name);
  if (!in.ok() || value.is_null()) return std::nullopt;
  return read_inner(in, name, value, read);
}

template <std::size_t N>
std::optional<ByteArray<N>> read_optional_array(JsonReader& in, const char* name) {
  const auto bytes = in.optional_bytes(name, N);
  if (!bytes) return std::nullopt;
  ByteArray<N> out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

// The members of an open answer: all of them or none.
std::optional<OpenView> read_open(JsonReader& in) {
  const std::string decision = in.text("decision", 16);
  const auto until = in.optional_integer("until_ms", 0, kNoLimit);
  const auto stream = read_optional_array<16>(in, "stream");
  const auto enc = read_optional_array<65>(in, "enc");
  const auto sealed = read_optional_array<48>(in, "sealed");
  if (decision == "open" && until && stream && enc && sealed) return OpenView{*until, *stream, *enc, *sealed};
  if (decision != "closed" || until || stream || enc || sealed) in.fail("decision", "does not fit what comes with it");
  return std::nullopt;
}

void write_open(Json& out, const std::optional<OpenView>& open) {
  out["decision"] = open ? "open" : "closed";
  out["until_ms"] = open ? Json(open->until_ms) : Json();
  out["stream"] = open ? hash_json(open->stream) : Json();
  out["enc"] = open ? hash_json(open->enc) : Json();
  out["sealed"] = open ? hash_json(open->sealed) : Json();
}

}  // namespace

const char* device_kind_name(DeviceKind kind) { return kKindNames.at(static_cast<std::size_t>(kind)); }

bool is_event_kind(std::string_view kind) {
  return std::find(kEventKinds.begin(), kEventKinds.end(), kind) != kEventKinds.end();
}

Json formats_json(const Formats& formats) { return {{"order", formats.order}, {"bundle", formats.bundle}}; }

Json slots_json(const std::vector<SlotEntry>& slots) {
  Json out = Json::array();
  for (const auto& entry : slots) {
    out.push_back({{"slot", entry.slot}, {"version", entry.version}, {"order", hash_json(entry.order)}});
  }
  return out;
}

Result<Receipt> parse_receipt(std::string_view payload) {
  TILLSYN_TRY(json, parse_device_payload(payload));
  JsonReader in(json, "receipt");
  read_head(in, DeviceKind::kReceipt);
  Receipt out;
  out.hub = read_name(in, "hub", is_hub);
  out.order = read_hash(in, "order");
  out.verdict = read_verdict(in);
  out.reason = read_reason(in);
  out.head = read_hash(in, "head");
  out.slots = read_slots(in);
  out.formats = read_object(in, "formats", read_formats);
  out.time = read_time(in, "time");
  if (out.reason.has_value() == (out.verdict == Verdict::Kind::kAccepted))
    in.fail("reason", "does not fit the verdict");
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format(const Receipt& receipt) {
  Json out = head_json(DeviceKind::kReceipt, receipt.hub);
  out["order"] = hash_json(receipt.order);
  out["verdict"] = verdict_name(receipt.verdict);
  out["reason"] = or_null(receipt.reason);
  out["head"] = hash_json(receipt.head);
  out["slots"] = slots_json(receipt.slots);
  out["formats"] = formats_json(receipt.formats);
  out["time"] = time_json(receipt.time);
  return canonical_json(out);
}

Result<Answer> parse_answer(std::string_view payload) {
  TILLSYN_TRY(json, parse_device_payload(payload));
  JsonReader in(json, "answer");
  read_head(in, DeviceKind::kAnswer);
  Answer out;
  out.hub = read_name(in, "hub", is_hub);
  out.order = read_hash(in, "order");
  out.resident = read_name(in, "resident", is_random_id);
  out.camera = read_name(in, "camera", is_slug);
  out.viewer_key = read_array<65>(in, "viewer_key");
  out.open = read_open(in);
  out.reason = read_reason(in);
  out.mono = in.integer("mono", 0, kNoLimit);
  out.utc_ms = in.optional_integer("utc_ms", 0, kNoLimit);
  out.clock_trusted = read_clock(in);
  out.head = read_hash(in, "head");
  out.bundle = read_optional_object(in, "bundle", read_bundle_version);
  out.next_ms = in.optional_integer("next_ms", 0, kNoLimit);
  out.slots = read_slots(in);
  if (out.open.has_value() == out.reason.has_value()) in.fail("reason", "does not fit the decision");
  if (out.open && out.next_ms) in.fail("next_ms", "does not fit the decision");
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format(const Answer& answer) {
  Json out = head_json(DeviceKind::kAnswer, answer.hub);
  out["order"] = hash_json(answer.order);
  out["resident"] = answer.resident;
  out["camera"] = answer.camera;
  out["viewer_key"] = hash_json(answer.viewer_key);
  write_open(out, answer.open);
  out["reason"] = or_null(answer.reason);
  out["mono"] = answer.mono;
  out["utc_ms"] = or_null(answer.utc_ms);
  out["clock"] = clock_name(answer.clock_trusted);
  out["head"] = hash_json(answer.head);
  out["bundle"] = or_null(answer.bundle, bundle_version_json);
  out["next_ms"] = or_null(answer.next_ms);
  out["slots"] = slots_json(answer.slots);
  return canonical_json(out);
}

Result<Event> parse_event(std::string_view payload) {
  TILLSYN_TRY(json, parse_device_payload(payload));
  JsonReader in(json, "event");
  read_head(in, DeviceKind::kEvent);
  Event out;
  out.hub = read_name(in, "hub", is_hub);
  out.n = in.integer("n", 1, kMaxInteger);
  out.prev = read_optional_hash(in, "prev");
  out.time = read_time(in, "time");
  out.mono = in.integer("mono", 0, kNoLimit);
  out.clock_trusted = read_clock(in);
  out.kind = read_name(in, "kind", is_event_kind);
  out.resident = read_optional_name(in, "resident", is_random_id);
  out.camera = read_optional_name(in, "camera", is_slug);
  out.window = read_optional_object(in, "window", read_window);
  out.order = read_optional_hash(in, "order");
  out.who = read_optional_object(in, "who", read_person);
  out.reason = read_reason(in);
  out.count = in.integer("count", 1, kMaxInteger);
  if (out.prev.has_value() != (out.n > 1)) in.fail("prev", "does not fit n");
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format(const Event& event) {
  Json out = head_json(DeviceKind::kEvent, event.hub);
  out["n"] = event.n;
  out["prev"] = or_null(event.prev, hash_json);
  out["time"] = time_json(event.time);
  out["mono"] = event.mono;
  out["clock"] = clock_name(event.clock_trusted);
  out["kind"] = event.kind;
  out["resident"] = or_null(event.resident);
  out["camera"] = or_null(event.camera);
  out["window"] = or_null(event.window, window_json);
  out["order"] = or_null(event.order, hash_json);
  out["who"] = or_null(event.who, person_json);
  out["reason"] = or_null(event.reason);
  out["count"] = event.count;
  return canonical_json(out);
}

Result<LinkKey> parse_link_key(std::string_view payload) {
  TILLSYN_TRY(json, parse_device_payload(payload));
  JsonReader in(json, "link key");
  read_head(in, DeviceKind::kLinkKey);
  const std::string hub = read_name(in, "hub", is_hub);
  const auto device_key = read_jwk(in, "device_key");
  const auto link_key = read_point(in, "link_key");
  const auto n = in.integer("n", 1, kMaxInteger);
  TILLSYN_CHECK(finish(in));
  if (device_key->thumbprint_text() != hub) return refuse("wrong_device_key");
  return LinkKey{*device_key, *link_key, n};
}

std::string format(const LinkKey& link_key) {
  Json out = head_json(DeviceKind::kLinkKey, link_key.device_key.thumbprint_text());
  out["device_key"] = link_key.device_key.to_jwk();
  out["link_key"] = hash_json(link_key.link_key.point());
  out["n"] = link_key.n;
  return canonical_json(out);
}

Result<Countersign> parse_countersign(std::string_view payload) {
  TILLSYN_TRY(json, parse_device_payload(payload));
  JsonReader in(json, "countersign");
  read_head(in, DeviceKind::kCountersign);
  Countersign out;
  out.hub = read_name(in, "hub", is_hub);
  out.order = read_hash(in, "order");
  out.time = read_time(in, "time");
  TILLSYN_CHECK(finish(in));
  return out;
}

std::string format(const Countersign& countersign) {
  Json out = head_json(DeviceKind::kCountersign, countersign.hub);
  out["order"] = hash_json(countersign.order);
  out["time"] = time_json(countersign.time);
  return canonical_json(out);
}

}  // namespace tillsyn::orders
