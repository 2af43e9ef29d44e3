#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/civil/date.h"
#include "common/civil/schedule.h"
#include "common/crypto/p256.h"
#include "common/orders/names.h"

namespace tillsyn::orders {

// What orders say: one struct a type, as in the table of PROTOCOL.md ("Order"). Field by field the table's members; ids
// are texts that have passed their check in names.h.

constexpr std::int64_t kOrderFormat = 1;
constexpr std::size_t kMaxPayloadBytes = 32 * 1024;
constexpr std::size_t kMaxReasonBytes = 1000;

// ---- people ----

struct Right {
  Role role = Role::kOperator;
  std::vector<std::string> groups;  // {"*"} or 1-64 groups
  Instant from;
  Instant to;  // exclusive, at most 400 days after from
};

struct Grant {
  Person person;
  std::vector<Right> rights;  // 1-32
  std::string reason;
};

struct Revoke {
  Person person;
  Instant from;  // for judging what was signed before; the rights end at once
  std::string reason;
};

// ---- the hub and the home ----

struct Device {
  std::string hub;
  crypto::P256PublicKey device_key;
  std::string board;
};

struct AssignedCamera {
  std::string id;
  std::string identifier;
};

struct Assignment {
  std::string hub;
  std::string resident;
  std::string home;
  std::string group;
  std::string code;                     // the resident's short code
  std::vector<AssignedCamera> cameras;  // 1-8, ids and identifiers unique
};

struct Acceptance {
  std::string hub;
  std::string resident;
  std::string home;
  std::string group;
  Hash assignment{};                   // hash of the assignment whose installation was tested
  std::vector<std::string> checklist;  // items, all passed; 1-64
};

struct Release {
  std::string hub;
  std::string resident;
  std::string home;
  std::string group;
  std::string reason;
};

// ---- the resident's decisions ----

struct DateRange {
  civil::LocalDate from;
  std::optional<civil::LocalDate> to;  // inclusive

  bool holds(civil::LocalDate date) const { return from <= date && (!to || date <= *to); }
};

struct PermittedHours {
  std::chrono::minutes start{};   // local time since midnight
  std::chrono::minutes length{};  // 1-1440
};

// What was decided and consented to.
struct ConsentTerms {
  DateRange decision;
  DateRange consent;
  std::string informed_by;
  std::string informed_how;
  PermittedHours permitted;
  std::int64_t supervisions_per_day = 0;
  std::int64_t max_minutes_per_day = 0;
  Hash name_hash{};
  std::string timezone;
  std::shared_ptr<const civil::Zone> zone;  // of `timezone`, never null after parsing
};

struct Consent {
  std::string resident;
  std::string home;
  std::string group;
  std::optional<ConsentTerms> terms;  // none: withdrawn
};

struct ScheduleOrder {
  std::string resident;
  std::string home;
  std::string group;
  civil::Schedule schedule;
};

constexpr std::chrono::hours kLongestPauseByOne{72};  // counted from signed_at; a longer one is signed by two
constexpr std::chrono::days kLongestPause{30};

struct Pause {
  std::string resident;
  std::string home;
  std::string group;
  Instant until;  // after signed_at, by kLongestPause at most
  std::string reason;
};

struct Resume {
  std::string resident;
  std::string home;
  std::string group;
};

// ---- acts and outcomes ----

struct BundleVersion {
  std::int64_t root_list_version = 0;
  std::int64_t counter = 0;

  friend auto operator<=>(const BundleVersion&, const BundleVersion&) = default;
};

struct LogPoint {
  std::uint64_t size = 0;
  Hash root{};

  friend bool operator==(const LogPoint&, const LogPoint&) = default;
};

// A view, or the install team's test-view, which has the same members.
struct View {
  std::string hub;
  std::string resident;
  std::string group;
  std::string camera;
  crypto::P256PublicKey viewer_key;
  ByteArray<32> challenge{};
  BundleVersion bundle;  // that the app judged by
  Hash head{};
  LogPoint checkpoint;   // the newest the app has verified; size 0: none
  bool is_test = false;  // test-view
};

struct WindowOnDate {
  std::string id;
  civil::LocalDate date;

  friend bool operator==(const WindowOnDate&, const WindowOnDate&) = default;
};

enum class OutcomeKind { kCompleted, kNotSeen, kUnable, kVisitTaken, kPauseKnown };

// The five ways in which an operator closes a window. Completed and not-seen name the view; the others say why.
struct Outcome {
  OutcomeKind kind = OutcomeKind::kCompleted;
  std::string resident;
  std::string group;
  WindowOnDate window;
  std::optional<Hash> answer;  // completed, not-seen: hash of the view's answer
  std::optional<Hash> note;    // completed, not-seen: note_hash, if there is a note
  std::string reason;          // the other three
};

// ---- all of them ----

struct Signer {
  Person person;
  Role role = Role::kOperator;
};

// Where a standing order stands among those of its slot.
struct Standing {
  std::int64_t version = 1;
  std::optional<Hash> replaces;
};

struct Common {
  std::string provider;
  std::string id;
  Instant signed_at;
  std::vector<Signer> signers;       // 1 or 2; signature i is by signer i
  std::optional<Standing> standing;  // of standing orders exactly
};

using Body = std::variant<Grant, Revoke, Device, Assignment, Acceptance, Release, Consent, ScheduleOrder, Pause, Resume,
                          View, Outcome>;

struct Payload {
  Common common;
  Body body;
};

// Reads a payload text strictly. Failures: kMalformed "malformed"; kWaiting "unknown_format" when it is an object with
// another format number, whatever else it holds; kRefused "type_not_supported" for a type that format 1 does not know.
// Loads time zones (see civil::Zone::load).
Result<Payload> parse_payload(std::string_view text);

// The payload in canonical JSON; parse_payload reads it back equal. What it may hold is not checked here.
std::string format_payload(const Payload& payload);

const char* type_name(const Body& body);  // "not-seen"

bool is_standing(const Body& body);  // fills a slot
bool is_act(const Body& body);       // view, test-view: now or never
// Orders that only close act whatever their version: withdrawn consent, pause, revoke, release.
bool is_closing(const Body& body);

// Whether it is a pause that two persons must sign.
bool is_long_pause(const Payload& payload);

// What the order names, nullptr where it names none. Borrowed from `body`.
const std::string* hub_of(const Body& body);
const std::string* resident_of(const Body& body);
const std::string* home_of(const Body& body);
const std::string* group_of(const Body& body);

}  // namespace tillsyn::orders
