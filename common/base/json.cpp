#include "common/base/json.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace tillsyn {
namespace {

constexpr std::int64_t kMaxSafeInteger = (std::int64_t{1} << 53) - 1;

const Json kNull;
const Json kEmptyArray = Json::array();
const Json kEmptyObject = Json::object();

// Checks as the parser reads, so that a hostile text is given up at the first fault and never held twice.
class StrictHandler : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

  StrictHandler(Json& out, JsonLimits limits, bool allow_fractions)
      : Base(out, false), limits_(limits), allow_fractions_(allow_fractions) {}

  bool number_integer(number_integer_t value) { return value >= -kMaxSafeInteger && Base::number_integer(value); }
  bool number_unsigned(number_unsigned_t value) {
    return value <= static_cast<number_unsigned_t>(kMaxSafeInteger) && Base::number_unsigned(value);
  }
  bool number_float(number_float_t value, const string_t& text) {
    return allow_fractions_ && Base::number_float(value, text);
  }
  bool start_object(std::size_t size) {
    members_.emplace_back();
    return members_.size() <= limits_.max_depth && Base::start_object(size);
  }
  bool end_object() {
    members_.pop_back();
    return Base::end_object();
  }
  bool start_array(std::size_t size) {
    members_.emplace_back();
    return members_.size() <= limits_.max_depth && Base::start_array(size);
  }
  bool end_array() {
    members_.pop_back();
    return Base::end_array();
  }
  bool key(string_t& name) { return members_.back().insert(name).second && Base::key(name); }

 private:
  JsonLimits limits_;
  bool allow_fractions_;
  std::vector<std::set<std::string>> members_;
};

// "-0" reads as the integer 0 and would be written back differently: the one integer spelling that is not canonical.
bool has_negative_zero(std::string_view text) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && text[i] == '-' && i + 1 < text.size() && text[i + 1] == '0') {
      return true;
    }
  }
  return false;
}

Result<Json> parse(std::string_view text, JsonLimits limits, bool allow_fractions) {
  if (text.size() > limits.max_bytes) {
    return malformed("json", "text is longer than " + std::to_string(limits.max_bytes) + " bytes");
  }
  if (text.starts_with("\xef\xbb\xbf")) return malformed("json", "byte order mark");
  // The library takes a zero byte for the end of the text and would not look at what follows.
  if (text.find('\0') != std::string_view::npos) return malformed("json", "zero byte");
  if (!allow_fractions && has_negative_zero(text)) return malformed("json", "negative zero");
  try {
    Json out;
    StrictHandler handler(out, limits, allow_fractions);
    if (!Json::sax_parse(text, &handler)) {
      return malformed("json", "not strict JSON (syntax, duplicate member, number, depth or Unicode)");
    }
    return out;
  } catch (const std::exception&) {
    return malformed("json", "not JSON");
  }
}

void write_string(std::string& out, const std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kDigits[static_cast<unsigned char>(c) >> 4];
          out += kDigits[static_cast<unsigned char>(c) & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// UTF-16 code unit order differs from byte order only for code points past U+FFFF against U+E000..U+FFFF.
std::u16string utf16(const std::string& text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3f);
    }
    if (point > 0xffff) {
      out += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
      out += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
      out += static_cast<char16_t>(point);
    }
    i += length;
  }
  return out;
}

void write_canonical(std::string& out, const Json& value);

void write_object(std::string& out, const Json& value) {
  std::vector<std::pair<std::u16string, const std::string*>> names;
  for (auto it = value.begin(); it != value.end(); ++it) names.emplace_back(utf16(it.key()), &it.key());
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  out += '{';
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ',';
    write_string(out, *names[i].second);
    out += ':';
    write_canonical(out, value.at(*names[i].second));
  }
  out += '}';
}

void write_canonical(std::string& out, const Json& value) {
  if (value.is_object()) return write_object(out, value);
  if (value.is_string()) return write_string(out, value.get_ref<const std::string&>());
  if (value.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      write_canonical(out, value[i]);
    }
    out += ']';
    return;
  }
  out += value.dump();
}

}  // namespace

const char* code_name(Code code) {
  switch (code) {
    case Code::kMalformed: return "malformed";
    case Code::kRefused: return "refused";
    case Code::kWaiting: return "waiting";
    case Code::kNotFound: return "not_found";
    case Code::kConflict: return "conflict";
    case Code::kUnavailable: return "unavailable";
    case Code::kIo: return "io";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

Result<Json> parse_json(std::string_view text, JsonLimits limits) { return parse(text, limits, false); }
Result<Json> parse_foreign_json(std::string_view text, JsonLimits limits) { return parse(text, limits, true); }

std::string canonical_json(const Json& value) {
  std::string out;
  write_canonical(out, value);
  return out;
}

JsonReader::JsonReader(const Json& value, std::string what) : value_(value), what_(std::move(what)) {
  if (!value_.is_object()) fail("", "is not an object");
}

void JsonReader::fail(const std::string& name, const std::string& message) {
  if (error_) return;
  error_ = malformed("member", what_ + (name.empty() ? "" : "." + name) + " " + message);
}

bool JsonReader::has(const char* name) const { return value_.is_object() && value_.contains(name); }

const Json* JsonReader::member(const char* name) {
  if (error_) return nullptr;
  seen_.emplace_back(name);
  const auto found = value_.find(name);
  if (found != value_.end()) return &*found;
  fail(name, "is missing");
  return nullptr;
}

std::string JsonReader::text(const char* name, std::size_t max_bytes) {
  const Json* found = member(name);
  if (found == nullptr) return {};
  if (!found->is_string()) return fail(name, "is not a string"), std::string();
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > max_bytes) return fail(name, "is longer than " + std::to_string(max_bytes) + " bytes"), std::string();
  return text;
}

std::optional<std::string> JsonReader::optional_text(const char* name, std::size_t max_bytes) {
  if (has(name) && value_.at(name).is_null()) return seen_.emplace_back(name), std::nullopt;
  std::string found = text(name, max_bytes);
  return ok() ? std::optional(std::move(found)) : std::nullopt;
}

std::int64_t JsonReader::integer(const char* name, std::int64_t min, std::int64_t max) {
  const Json* found = member(name);
  if (found == nullptr) return 0;
  if (!found->is_number_integer()) return fail(name, "is not an integer"), 0;
  const auto number = found->get<std::int64_t>();
  if (number >= min && number <= max) return number;
  fail(name, "is outside " + std::to_string(min) + "-" + std::to_string(max));
  return 0;
}

std::optional<std::int64_t> JsonReader::optional_integer(const char* name, std::int64_t min, std::int64_t max) {
  if (has(name) && value_.at(name).is_null()) return seen_.emplace_back(name), std::nullopt;
  const std::int64_t number = integer(name, min, max);
  return ok() ? std::optional(number) : std::nullopt;
}

bool JsonReader::boolean(const char* name) {
  const Json* found = member(name);
  if (found == nullptr) return false;
  if (!found->is_boolean()) return fail(name, "is not true or false"), false;
  return found->get<bool>();
}

Bytes JsonReader::bytes(const char* name, std::size_t size) {
  Bytes out = bytes_up_to(name, size);
  if (ok() && out.size() != size) fail(name, "is not " + std::to_string(size) + " bytes long");
  return ok() ? out : Bytes();
}

std::optional<Bytes> JsonReader::optional_bytes(const char* name, std::size_t size) {
  if (has(name) && value_.at(name).is_null()) return seen_.emplace_back(name), std::nullopt;
  Bytes out = bytes(name, size);
  return ok() ? std::optional(std::move(out)) : std::nullopt;
}

Bytes JsonReader::bytes_up_to(const char* name, std::size_t max_size) {
  const std::string encoded = text(name, (max_size * 4 + 2) / 3);
  if (!ok()) return {};
  auto decoded = from_base64url(encoded);
  if (!decoded) return fail(name, "is not canonical base64url"), Bytes();
  return std::move(*decoded);
}

const Json& JsonReader::array(const char* name, std::size_t max_items) {
  const Json* found = member(name);
  if (found == nullptr) return kEmptyArray;
  if (!found->is_array()) return fail(name, "is not an array"), kEmptyArray;
  if (found->size() > max_items) return fail(name, "has more than " + std::to_string(max_items) + " items"), kEmptyArray;
  return *found;
}

const Json& JsonReader::object(const char* name) {
  const Json* found = member(name);
  if (found == nullptr) return kEmptyObject;
  if (!found->is_object()) return fail(name, "is not an object"), kEmptyObject;
  return *found;
}

const Json& JsonReader::any(const char* name) {
  const Json* found = member(name);
  return found == nullptr ? kNull : *found;
}

Result<void> JsonReader::finish() {
  if (!error_ && value_.is_object()) {
    for (auto it = value_.begin(); it != value_.end(); ++it) {
      if (std::find(seen_.begin(), seen_.end(), it.key()) == seen_.end()) fail(it.key().substr(0, 40), "is not known");
    }
  }
  if (error_) return *error_;
  return {};
}

}  // namespace tillsyn
