#include "common/orders/codec.h"

#include <algorithm>

#include "common/orders/refusals.h"

namespace tillsyn::orders {
namespace {

bool is_key_text(std::string_view text) { return from_base64url_exact<32>(text).ok(); }

}  // namespace

Error as_malformed(const Error& error) {
  return error.code == Code::kMalformed ? malformed("malformed", error.message) : error;
}

Result<Json> parse_format_one(std::string_view text, JsonLimits limits) {
  auto json = parse_json(text, limits);
  if (!json) return as_malformed(json.error());
  if (!json->is_object() || !json->contains("format") || !(*json)["format"].is_number_integer()) {
    return malformed("malformed", "an object with a format number was expected");
  }
  const auto format = (*json)["format"].get<std::int64_t>();
  if (format > 1) return wait_for("unknown_format");
  if (format < 1) return malformed("malformed", "there is no such format number");
  return json;
}

Result<void> finish(JsonReader& in) {
  const auto finished = in.finish();
  if (!finished.ok()) return as_malformed(finished.error());
  return {};
}

Instant read_time(JsonReader& in, const char* name) {
  const auto time = parse_instant(in.text(name, 20));
  if (!time) in.fail(name, "is not a time of the form 2026-11-22T20:15:00Z");
  return time ? *time : Instant();
}

civil::LocalDate read_date(JsonReader& in, const char* name) {
  const auto date = civil::parse_date(in.text(name, 10));
  if (!date) in.fail(name, "is not a date of the form 2026-12-24");
  return date ? *date : civil::LocalDate();
}

std::optional<civil::LocalDate> read_optional_date(JsonReader& in, const char* name) {
  const auto text = in.optional_text(name, 10);
  if (!text) return std::nullopt;
  const auto date = civil::parse_date(*text);
  if (date) return *date;
  in.fail(name, "is not a date of the form 2026-12-24, or null");
  return std::nullopt;
}

std::string read_filled_text(JsonReader& in, const char* name, std::size_t max_bytes) {
  std::string text = in.text(name, max_bytes);
  if (in.ok() && text.empty()) in.fail(name, "is empty");
  return text;
}

std::optional<crypto::P256PublicKey> read_jwk(JsonReader& in, const char* name) {
  const Json& jwk = in.object(name);
  if (!in.ok()) return std::nullopt;
  auto key = crypto::P256PublicKey::from_jwk(jwk);
  if (key) return *key;
  in.fail(name, "is not a P-256 public key");
  return std::nullopt;
}

std::optional<crypto::P256PublicKey> read_point(JsonReader& in, const char* name) {
  const Bytes bytes = in.bytes(name, crypto::kP256PointBytes);
  if (!in.ok()) return std::nullopt;
  auto key = crypto::P256PublicKey::from_point(bytes);
  if (key) return *key;
  in.fail(name, "is not a point of P-256");
  return std::nullopt;
}

std::vector<std::string> read_texts(JsonReader& in, const char* name, std::size_t min, std::size_t max,
                                    bool (*check)(std::string_view)) {
  std::vector<std::string> out;
  const Json& items = in.array(name, max);
  if (in.ok() && items.size() < min) in.fail(name, "has too few items");
  for (const Json& item : items) {
    if (!item.is_string() || !check(item.get_ref<const std::string&>())) {
      in.fail(name, "holds something of another form");
    } else if (std::find(out.begin(), out.end(), item.get_ref<const std::string&>()) != out.end()) {
      in.fail(name, "holds a value twice");
    } else {
      out.push_back(item.get<std::string>());
    }
  }
  return out;
}

std::vector<crypto::Ed25519PublicKey> read_ed25519_keys(JsonReader& in, const char* name, std::size_t max) {
  std::vector<crypto::Ed25519PublicKey> out;
  for (const std::string& text : read_texts(in, name, 1, max, is_key_text)) {
    const auto key = crypto::Ed25519PublicKey::from_bytes(*from_base64url(text));
    if (key) out.push_back(*key);
    if (!key) in.fail(name, "holds something that is no Ed25519 key");
  }
  return out;
}

Json ed25519_keys_json(const std::vector<crypto::Ed25519PublicKey>& keys) {
  Json out = Json::array();
  for (const auto& key : keys) out.push_back(hash_json(key.bytes()));
  return out;
}

Json time_json(Instant time) { return format_instant(time); }
Json hash_json(ByteView bytes) { return to_base64url(bytes); }
Json person_json(const Person& person) { return {{"issuer", person.issuer}, {"person", person.value}}; }

Json bundle_version_json(const BundleVersion& version) {
  return {{"root_list_version", version.root_list_version}, {"counter", version.counter}};
}

BundleVersion read_bundle_version(JsonReader& in) {
  return {in.integer("root_list_version", 1, kMaxInteger), in.integer("counter", 1, kMaxInteger)};
}

Json window_json(const WindowOnDate& window) { return {{"id", window.id}, {"date", civil::format_date(window.date)}}; }
WindowOnDate read_window(JsonReader& in) { return {read_name(in, "id", is_window_id), read_date(in, "date")}; }

}  // namespace tillsyn::orders
