#include <algorithm>

#include "common/orders/codec.h"

// Bodies about a hub and the home it serves: device, assignment, acceptance, release.
namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxBoardBytes = 64;
constexpr std::size_t kMaxCameras = 8;
constexpr std::size_t kMaxChecklist = 64;
constexpr std::size_t kMaxItemBytes = 200;

// A hub and the home that it serves.
template <typename T>
void read_hub_place(JsonReader& in, T& out) {
  out.hub = read_name(in, "hub", is_hub);
  read_place(in, out);
}

template <typename T>
void write_hub_place(Json& out, const T& body) {
  out["hub"] = body.hub;
  write_place(out, body);
}

AssignedCamera read_camera(JsonReader& in) {
  return {read_name(in, "id", is_slug), read_name(in, "identifier", is_identifier)};
}

bool has_twin(const std::vector<AssignedCamera>& cameras, const AssignedCamera& one) {
  const auto is_like = [&](const auto& other) { return other.id == one.id || other.identifier == one.identifier; };
  return std::count_if(cameras.begin(), cameras.end(), is_like) > 1;
}

std::string read_passed_item(JsonReader& in) {
  std::string item = read_filled_text(in, "item", kMaxItemBytes);
  if (!in.boolean("passed")) in.fail("passed", "is not true");
  return item;
}

}  // namespace

std::optional<Body> read_device(JsonReader& in) {
  std::string hub = read_name(in, "hub", is_hub);
  auto key = read_jwk(in, "device_key");
  std::string board = read_filled_text(in, "board", kMaxBoardBytes);
  if (!key) return std::nullopt;
  return Device{std::move(hub), *key, std::move(board)};
}

void write(Json& out, const Device& body) {
  out["hub"] = body.hub;
  out["device_key"] = body.device_key.to_jwk();
  out["board"] = body.board;
}

std::optional<Body> read_assignment(JsonReader& in) {
  Assignment out;
  read_hub_place(in, out);
  out.code = read_name(in, "code", is_short_code);
  out.cameras = read_list(in, "cameras", 1, kMaxCameras, read_camera);
  const auto twin = [&](const AssignedCamera& camera) { return has_twin(out.cameras, camera); };
  if (std::any_of(out.cameras.begin(), out.cameras.end(), twin)) in.fail("cameras", "names one twice");
  return out;
}

void write(Json& out, const Assignment& body) {
  write_hub_place(out, body);
  out["code"] = body.code;
  out["cameras"] = Json::array();
  for (const auto& camera : body.cameras) {
    out["cameras"].push_back({{"id", camera.id}, {"identifier", camera.identifier}});
  }
}

std::optional<Body> read_acceptance(JsonReader& in) {
  Acceptance out;
  read_hub_place(in, out);
  out.assignment = read_hash(in, "assignment");
  out.checklist = read_list(in, "checklist", 1, kMaxChecklist, read_passed_item);
  return out;
}

void write(Json& out, const Acceptance& body) {
  write_hub_place(out, body);
  out["assignment"] = hash_json(body.assignment);
  out["checklist"] = Json::array();
  for (const auto& item : body.checklist) out["checklist"].push_back({{"item", item}, {"passed", true}});
}

std::optional<Body> read_release(JsonReader& in) {
  Release out;
  read_hub_place(in, out);
  out.reason = read_filled_text(in, "reason", kMaxReasonBytes);
  return out;
}

void write(Json& out, const Release& body) {
  write_hub_place(out, body);
  out["reason"] = body.reason;
}

}  // namespace tillsyn::orders
