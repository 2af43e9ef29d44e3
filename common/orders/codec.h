#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/civil/date.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/p256.h"
#include "common/orders/names.h"
#include "common/orders/payloads.h"

namespace tillsyn::orders {

// Pieces of JSON that several formats of this folder share. Not for other folders.
//
// Readers record faults in `in`; what they return counts only while in.ok(). Writers are their inverse.

constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;

// The object in a payload text whose "format" is 1, as a check that every payload begins with: "malformed", or waiting
// "unknown_format" for a higher number, whatever else the object holds.
Result<Json> parse_format_one(std::string_view text, JsonLimits limits);

// The error as "malformed", keeping its sentence; waiting and refused ones as they are.
Error as_malformed(const Error& error);

Instant read_time(JsonReader& in, const char* name);
civil::LocalDate read_date(JsonReader& in, const char* name);
std::optional<civil::LocalDate> read_optional_date(JsonReader& in, const char* name);
std::string read_filled_text(JsonReader& in, const char* name, std::size_t max_bytes);  // not empty
std::optional<crypto::P256PublicKey> read_jwk(JsonReader& in, const char* name);
std::optional<crypto::P256PublicKey> read_point(JsonReader& in, const char* name);

// in.finish(), its error as "malformed".
Result<void> finish(JsonReader& in);

template <std::size_t N>
ByteArray<N> read_array(JsonReader& in, const char* name) {
  ByteArray<N> out{};
  const Bytes bytes = in.bytes(name, N);
  if (bytes.size() == N) std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// Reads `value` strictly as an object by `read(JsonReader&)`; a fault inside is one of `in`.
template <typename Read>
auto read_inner(JsonReader& in, const char* name, const Json& value, Read read) {
  JsonReader inner(value, name);
  auto out = read(inner);
  const auto finished = inner.finish();
  if (in.ok() && !finished.ok()) in.fail(name, "is wrong: " + finished.error().message);
  return out;
}

template <typename Read>
auto read_object(JsonReader& in, const char* name, Read read) {
  return read_inner(in, name, in.object(name), read);
}

// Each item of an array of `min` to `max` objects.
template <typename Read>
auto read_list(JsonReader& in, const char* name, std::size_t min, std::size_t max, Read read) {
  std::vector<decltype(read(in))> out;
  const Json& items = in.array(name, max);
  if (in.ok() && items.size() < min) in.fail(name, "has too few items");
  for (const Json& item : items) {
    if (!in.ok()) break;
    out.push_back(read_inner(in, name, item, read));
  }
  return out;
}

// Each item of an array of texts that pass `check`, none twice.
std::vector<std::string> read_texts(JsonReader& in, const char* name, std::size_t min, std::size_t max,
                                    bool (*check)(std::string_view));

std::vector<crypto::Ed25519PublicKey> read_ed25519_keys(JsonReader& in, const char* name, std::size_t max);  // 1-max
Json ed25519_keys_json(const std::vector<crypto::Ed25519PublicKey>& keys);

// Whether two items of a list have the same name.
template <typename T>
bool has_twins(const std::vector<T>& items, std::string T::*name) {
  std::set<std::string_view> seen;
  return std::any_of(items.begin(), items.end(), [&](const T& item) { return !seen.insert(item.*name).second; });
}

// The members resident, home and group of a body that has them.
template <typename T>
void read_place(JsonReader& in, T& out) {
  out.resident = read_name(in, "resident", is_random_id);
  out.home = read_name(in, "home", is_random_id);
  out.group = read_name(in, "group", is_slug);
}
template <typename T>
void write_place(Json& out, const T& body) {
  out["resident"] = body.resident;
  out["home"] = body.home;
  out["group"] = body.group;
}

Json time_json(Instant time);
Json hash_json(ByteView bytes);
Json person_json(const Person& person);  // {"issuer", "person"}
Json bundle_version_json(const BundleVersion& version);
BundleVersion read_bundle_version(JsonReader& in);
Json window_json(const WindowOnDate& window);
WindowOnDate read_window(JsonReader& in);

template <typename T, typename Write>
Json or_null(const std::optional<T>& value, Write write) {
  return value ? Json(write(*value)) : Json();
}
template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

// The bodies, by file. A reader returns nothing only after a fault; a writer adds its members to an object.
using ReadBody = std::optional<Body> (*)(JsonReader& in);
std::optional<Body> read_grant(JsonReader& in);
std::optional<Body> read_revoke(JsonReader& in);
std::optional<Body> read_device(JsonReader& in);
std::optional<Body> read_assignment(JsonReader& in);
std::optional<Body> read_acceptance(JsonReader& in);
std::optional<Body> read_release(JsonReader& in);
std::optional<Body> read_consent(JsonReader& in);
std::optional<Body> read_schedule(JsonReader& in);
std::optional<Body> read_pause(JsonReader& in);
std::optional<Body> read_resume(JsonReader& in);
std::optional<Body> read_view(JsonReader& in);
std::optional<Body> read_test_view(JsonReader& in);
template <OutcomeKind kKind>
std::optional<Body> read_outcome(JsonReader& in);

void write(Json& out, const Grant& body);
void write(Json& out, const Revoke& body);
void write(Json& out, const Device& body);
void write(Json& out, const Assignment& body);
void write(Json& out, const Acceptance& body);
void write(Json& out, const Release& body);
void write(Json& out, const Consent& body);
void write(Json& out, const ScheduleOrder& body);
void write(Json& out, const Pause& body);
void write(Json& out, const Resume& body);
void write(Json& out, const View& body);
void write(Json& out, const Outcome& body);

}  // namespace tillsyn::orders
