#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/base/result.h"

namespace tillsyn::orders {

// Names of things (PROTOCOL.md, "Names of things"). They travel as texts and stay texts: each is checked once, by the
// parser that read it, and compared byte by byte. Threads: everything in this folder is reentrant; objects are
// thread-bound.

using Hash = ByteArray<32>;  // SHA-256

constexpr std::size_t kMaxPersonBytes = 128;
constexpr std::size_t kMaxUrlBytes = 512;
constexpr std::string_view kCodeAlphabet = "2346789ACDEFHJKMNPRTWXY";  // no two letters that look alike in a picture
constexpr std::size_t kIdentifierLetters = 6;                          // a camera's
constexpr std::size_t kShortCodeLetters = 4;                           // a resident's

bool is_slug(std::string_view text);          // provider, group, camera: [a-z0-9-]{1,32}
bool is_random_id(std::string_view text);     // resident, home, order id: canonical base64url of 16 bytes
bool is_hub(std::string_view text);           // canonical base64url of 32 bytes: the thumbprint of its device key
bool is_window_id(std::string_view text);     // [A-Za-z0-9_-]{1,32}
bool is_identifier(std::string_view text);    // six letters of kCodeAlphabet
bool is_short_code(std::string_view text);    // four
bool is_https_url(std::string_view text);     // https://…, printable ASCII, no blanks, quotes or fragment
bool is_host(std::string_view text);          // name or name:port, lower case
bool is_https_origin(std::string_view text);  // https:// and a host, nothing after

// A member of staff as an identity provider names them. Which of two persons is meant is decided by `value` alone: the
// same value under two issuers is one person (see same_person).
struct Person {
  std::string issuer;
  std::string value;  // of the issuer's person_claim, 1-128 bytes

  friend auto operator<=>(const Person&, const Person&) = default;
};

bool same_person(const Person& a, const Person& b);

enum class Role {
  kOperator,
  kPlanner,
  kCareManager,
  kManager,
  kRightsAdmin,
  kInstaller,
  kTechnician,
  kLogReviewer,
  kSystemAdmin,
};

const char* role_name(Role role);  // "care_manager"
std::optional<Role> role_named(std::string_view name);

// Whether a group scope ("*" alone, or groups) holds `group`.
bool scope_holds(const std::vector<std::string>& groups, std::string_view group);

// Readers of single members for all parsers of this folder: the member is present and passes the check, else the fault
// is recorded in `in`.
std::string read_name(JsonReader& in, const char* name, bool (*check)(std::string_view));
std::optional<std::string> read_optional_name(JsonReader& in, const char* name, bool (*check)(std::string_view));
Person read_person(JsonReader& in);  // the members issuer and person
Role read_role(JsonReader& in, const char* name);
Hash read_hash(JsonReader& in, const char* name);
std::optional<Hash> read_optional_hash(JsonReader& in, const char* name);

}  // namespace tillsyn::orders
