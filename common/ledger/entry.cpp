#include "common/ledger/entry.h"

#include <algorithm>
#include <array>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/crypto/hash.h"

namespace tillsyn::ledger {
namespace {

constexpr std::int64_t kMaxSeq = (std::int64_t{1} << 53) - 1;
constexpr std::size_t kMaxPersons = 4;
constexpr std::size_t kMaxIssuerBytes = 512;
constexpr std::size_t kMaxPersonBytes = 128;
constexpr std::size_t kMaxReasonBytes = 256;
constexpr std::size_t kHubBytes = 32;
constexpr std::size_t kResidentBytes = 16;
constexpr std::array<std::string_view, 6> kKindNames = {"order", "answer", "receipt", "event", "countersign", "relay"};

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json or_null(const std::optional<Hash>& value) { return value ? Json(to_base64url(*value)) : Json(); }

Json persons_json(const std::vector<Person>& persons) {
  Json out = Json::array();
  for (const Person& who : persons) out.push_back({{"issuer", who.issuer}, {"person", who.person}});
  return out;
}

std::string read_name(JsonReader& in, const char* name) {
  std::string text = in.text(name, 32);
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_allowed)) in.fail(name, "is not a name");
  return text;
}

// An id: the text itself is kept, as canonical base64url has one spelling only.
std::optional<std::string> read_id(JsonReader& in, const char* name, std::size_t size) {
  const auto bytes = in.optional_bytes(name, size);
  return bytes ? std::optional(to_base64url(*bytes)) : std::nullopt;
}

std::optional<Hash> read_hash(JsonReader& in, const char* name) {
  const auto bytes = in.optional_bytes(name, std::tuple_size_v<Hash>);
  if (!bytes) return std::nullopt;
  Hash out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

EntryKind read_kind(JsonReader& in) {
  const std::string text = in.text("kind", 16);
  const auto found = std::find(kKindNames.begin(), kKindNames.end(), text);
  if (found != kKindNames.end()) return static_cast<EntryKind>(found - kKindNames.begin());
  in.fail("kind", "is not known");
  return {};
}

Instant read_time(JsonReader& in) {
  const auto time = parse_instant(in.text("time", 20));
  if (time) return *time;
  in.fail("time", "is not of the form 2026-11-22T20:15:00Z");
  return {};
}

Result<Person> read_person(JsonReader& in) {
  Person out{in.text("issuer", kMaxIssuerBytes), in.text("person", kMaxPersonBytes)};
  if (out.issuer.empty() || out.person.empty()) in.fail("person", "is empty");
  TILLSYN_CHECK(in.finish());
  return out;
}

Result<std::vector<Person>> read_persons(const Json& items) {
  std::vector<Person> out;
  for (const Json& item : items) {
    JsonReader in(item, "who[]");
    TILLSYN_TRY(person, read_person(in));
    out.push_back(std::move(person));
  }
  return out;
}

Result<std::vector<Person>> read_signers(const Json& items) {
  std::vector<Person> out;
  for (const Json& item : items) {
    JsonReader in(item, "signers[]");
    in.text("role", 32);
    TILLSYN_TRY(person, read_person(in));
    out.push_back(std::move(person));
  }
  return out;
}

Result<Entry> read_entry(const Json& value) {
  JsonReader in(value, "entry");
  in.integer("format", 1, 1);
  Entry out;
  out.seq = static_cast<std::uint64_t>(in.integer("seq", 0, kMaxSeq));
  out.time = read_time(in);
  out.kind = read_kind(in);
  out.what = read_name(in, "what");
  out.provider = read_name(in, "provider");
  out.hub = read_id(in, "hub", kHubBytes);
  out.resident = read_id(in, "resident", kResidentBytes);
  out.hash = read_hash(in, "hash");
  out.reason = in.optional_text("reason", kMaxReasonBytes);
  out.details = read_hash(in, "details");
  const Json& persons = in.array("who", kMaxPersons);
  TILLSYN_CHECK(in.finish());
  TILLSYN_TRY(who, read_persons(persons));
  out.who = std::move(who);
  return out;
}

}  // namespace

std::string format_entry(const Entry& entry) {
  return canonical_json({{"details", or_null(entry.details)},
                         {"format", 1},
                         {"hash", or_null(entry.hash)},
                         {"hub", or_null(entry.hub)},
                         {"kind", kKindNames[static_cast<std::size_t>(entry.kind)]},
                         {"provider", entry.provider},
                         {"reason", or_null(entry.reason)},
                         {"resident", or_null(entry.resident)},
                         {"seq", entry.seq},
                         {"time", format_instant(entry.time)},
                         {"what", entry.what},
                         {"who", persons_json(entry.who)}});
}

Result<Entry> parse_entry(std::string_view text) {
  TILLSYN_TRY(value, parse_json(text, {kMaxEntryBytes, 4}));
  TILLSYN_TRY(entry, read_entry(value));
  if (format_entry(entry) != text) return malformed("entry", "not the canonical spelling");
  return std::move(entry);
}

Hash entry_leaf(const Entry& entry) { return leaf_hash(view_of(format_entry(entry))); }

Result<Entry> entry_for_order(std::string_view payload, std::uint64_t seq, Instant time) {
  TILLSYN_TRY(value, parse_json(payload));
  JsonReader in(value, "order");
  Entry out;
  out.seq = seq;
  out.time = time;
  out.kind = EntryKind::kOrder;
  out.what = read_name(in, "type");
  out.provider = read_name(in, "provider");
  if (in.has("hub")) out.hub = read_id(in, "hub", kHubBytes);
  if (in.has("resident")) out.resident = read_id(in, "resident", kResidentBytes);
  const Json& signers = in.array("signers", kMaxPersons);
  if (!in.ok()) return in.finish().error();
  TILLSYN_TRY(who, read_signers(signers));
  out.who = std::move(who);
  out.hash = crypto::sha256(signed_bytes("order", view_of(payload)));
  return out;
}

}  // namespace tillsyn::ledger
