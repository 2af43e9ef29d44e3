#include "common/base/instant.h"
#include "common/base/json.h"
#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {

bool json(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto value = parse_json(text);
  const auto foreign = parse_foreign_json(text);
  if (!value) return false;
  must(is_valid_utf8(text), "strict JSON is well-formed UTF-8");
  must(foreign.ok() && *foreign == *value, "what the strict parser takes, the lenient one reads alike");
  const std::string canonical = canonical_json(*value);
  const auto again = parse_json(canonical, {.max_bytes = canonical.size()});
  must(again.ok() && *again == *value, "the canonical form reads back equal");
  must(canonical_json(*again) == canonical, "the canonical form is its own");
  return true;
}

bool base64url(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto value = from_base64url(text);
  if (value) must(to_base64url(*value) == text, "base64url has one spelling");
  must(*from_base64url(to_base64url(bytes)) == Bytes(bytes.begin(), bytes.end()), "base64url holds any bytes");
  return value.ok();
}

bool base64(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto value = from_base64(text);
  if (value) must(to_base64(*value) == text, "base64 has one spelling");
  return value.ok();
}

bool instant(ByteView bytes) {
  const std::string text = text_of(bytes);
  const auto value = parse_instant(text);
  if (value) must(format_instant(*value) == text, "a time has one spelling");
  return value.ok();
}

}  // namespace tillsyn::fuzz
