#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t max_bytes = 256 * 1024;
  std::size_t max_depth = 16;
};

// The strict reading of JSON that every signed text gets, the same as the staff app's: no duplicate members, no number
// with fraction or exponent, integers within ±(2^53−1), well-formed UTF-8, no lone surrogates, nothing after the value,
// within `limits`. Texts are compared byte by byte afterwards; nothing is normalised. Reason: "json".
// Threads: everything in this header is reentrant. Never throws.
Result<Json> parse_json(std::string_view text, JsonLimits limits = {});

// JSON from foreign programs (JWKS, JWT claims, discovery): as above but numbers may have fractions and exponents.
Result<Json> parse_foreign_json(std::string_view text, JsonLimits limits = {});

// RFC 8785 canonical form (members sorted by UTF-16 code units, shortest escapes). Precondition: only integers, strings,
// booleans, null, arrays, objects, as parse_json gives them.
std::string canonical_json(const Json& value);

// Reads one object strictly, member by member, collecting the first fault; `finish` refuses members nobody asked for.
//
//   JsonReader in(json, "schedule");
//   const auto version = in.integer("version", 1, kMaxVersion);
//   const auto id = in.text("id", 64);
//   TILLSYN_CHECK(in.finish());
//
// Borrows `value`. After a fault every getter returns an empty value. Reason: "member".
class JsonReader {
 public:
  JsonReader(const Json& value, std::string what);

  std::string text(const char* name, std::size_t max_bytes);
  std::optional<std::string> optional_text(const char* name, std::size_t max_bytes);  // null -> nullopt; must be present
  std::int64_t integer(const char* name, std::int64_t min, std::int64_t max);
  std::optional<std::int64_t> optional_integer(const char* name, std::int64_t min, std::int64_t max);  // null -> nullopt
  bool boolean(const char* name);
  Bytes bytes(const char* name, std::size_t size);  // base64url of exactly `size` bytes
  std::optional<Bytes> optional_bytes(const char* name, std::size_t size);
  Bytes bytes_up_to(const char* name, std::size_t max_size);
  const Json& array(const char* name, std::size_t max_items);  // an empty array after a fault
  const Json& object(const char* name);                        // an empty object after a fault
  const Json& any(const char* name);                           // null after a fault
  bool has(const char* name) const;

  // Records a fault of the caller's own ("must be later than from"); the first fault stays.
  void fail(const std::string& name, const std::string& message);
  bool ok() const { return !error_; }

  // The first fault, or success if every member was asked for.
  Result<void> finish();

 private:
  const Json* member(const char* name);

  const Json& value_;
  std::string what_;
  std::vector<std::string> seen_;
  std::optional<Error> error_;
};

}  // namespace tillsyn
