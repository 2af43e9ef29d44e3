#include "common/orders/codec.h"

// Bodies of what is done now: view, test-view and the outcomes.
namespace tillsyn::orders {
namespace {

LogPoint read_log_point(JsonReader& in) {
  return {static_cast<std::uint64_t>(in.integer("size", 0, kMaxInteger)), read_hash(in, "root")};
}

bool names_view(OutcomeKind kind) { return kind == OutcomeKind::kCompleted || kind == OutcomeKind::kNotSeen; }

}  // namespace

std::optional<Body> read_view(JsonReader& in) {
  std::string hub = read_name(in, "hub", is_hub);
  std::string resident = read_name(in, "resident", is_random_id);
  std::string group = read_name(in, "group", is_slug);
  std::string camera = read_name(in, "camera", is_slug);
  const auto key = read_point(in, "viewer_key");
  const auto challenge = read_array<32>(in, "challenge");
  const auto bundle = read_object(in, "bundle", read_bundle_version);
  const Hash head = read_hash(in, "head");
  const auto checkpoint = read_object(in, "checkpoint", read_log_point);
  if (!key) return std::nullopt;
  return View{std::move(hub), std::move(resident), std::move(group), std::move(camera), *key, challenge, bundle,
              head,           checkpoint};
}

std::optional<Body> read_test_view(JsonReader& in) {
  auto body = read_view(in);
  if (body) std::get<View>(*body).is_test = true;
  return body;
}

void write(Json& out, const View& body) {
  out["hub"] = body.hub;
  out["resident"] = body.resident;
  out["group"] = body.group;
  out["camera"] = body.camera;
  out["viewer_key"] = hash_json(body.viewer_key.point());
  out["challenge"] = hash_json(body.challenge);
  out["bundle"] = bundle_version_json(body.bundle);
  out["head"] = hash_json(body.head);
  out["checkpoint"] = {{"size", body.checkpoint.size}, {"root", hash_json(body.checkpoint.root)}};
}

template <OutcomeKind kKind>
std::optional<Body> read_outcome(JsonReader& in) {
  Outcome out;
  out.kind = kKind;
  out.resident = read_name(in, "resident", is_random_id);
  out.group = read_name(in, "group", is_slug);
  out.window = read_object(in, "window", read_window);
  if (names_view(kKind)) {
    out.answer = read_hash(in, "answer");
    out.note = read_optional_hash(in, "note");
  } else {
    out.reason = read_filled_text(in, "reason", kMaxReasonBytes);
  }
  return out;
}

template std::optional<Body> read_outcome<OutcomeKind::kCompleted>(JsonReader& in);
template std::optional<Body> read_outcome<OutcomeKind::kNotSeen>(JsonReader& in);
template std::optional<Body> read_outcome<OutcomeKind::kUnable>(JsonReader& in);
template std::optional<Body> read_outcome<OutcomeKind::kVisitTaken>(JsonReader& in);
template std::optional<Body> read_outcome<OutcomeKind::kPauseKnown>(JsonReader& in);

void write(Json& out, const Outcome& body) {
  out["resident"] = body.resident;
  out["group"] = body.group;
  out["window"] = window_json(body.window);
  if (names_view(body.kind)) {
    out["answer"] = or_null(body.answer, hash_json);
    out["note"] = or_null(body.note, hash_json);
  } else {
    out["reason"] = body.reason;
  }
}

}  // namespace tillsyn::orders
