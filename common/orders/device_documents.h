#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/orders/names.h"
#include "common/orders/order_book.h"
#include "common/orders/payloads.h"
#include "common/orders/refusals.h"

namespace tillsyn::orders {

// What a hub's device key signs (PROTOCOL.md, "Device payloads"). Each struct has a parse_… and a format(…) that are
// each other's inverse; parse_… fails with "malformed" or waiting "unknown_format". Open and verify first.

constexpr std::size_t kMaxDevicePayloadBytes = 16 * 1024;
constexpr std::size_t kMaxSlotEntries = 16;

enum class DeviceKind { kAnswer, kReceipt, kEvent, kLinkKey, kCountersign };
const char* device_kind_name(DeviceKind kind);

// The format numbers that a hub reads, ascending.
struct Formats {
  std::vector<std::int64_t> order{kOrderFormat};
  std::vector<std::int64_t> bundle{1};
};
Json formats_json(const Formats& formats);
Json slots_json(const std::vector<SlotEntry>& slots);

struct Receipt {
  std::string hub;
  Hash order{};
  Verdict::Kind verdict = Verdict::Kind::kRefused;
  std::optional<std::string> reason;  // none exactly if accepted
  Hash head{};
  std::vector<SlotEntry> slots;
  Formats formats;
  Instant time;
};

// An open answer carries what the viewer needs to decrypt.
struct OpenView {
  std::int64_t until_ms = 0;
  ByteArray<16> stream{};
  ByteArray<65> enc{};
  ByteArray<48> sealed{};
};

struct Answer {
  std::string hub;
  Hash order{};
  std::string resident;
  std::string camera;
  ByteArray<65> viewer_key{};         // as the order had it
  std::optional<OpenView> open;       // none: closed
  std::optional<std::string> reason;  // why closed; none exactly if open
  std::int64_t mono = 0;
  std::optional<std::int64_t> utc_ms;
  bool clock_trusted = false;
  Hash head{};
  std::optional<BundleVersion> bundle;
  std::optional<std::int64_t> next_ms;  // closed outside a window: when the next one opens
  std::vector<SlotEntry> slots;
};

struct Event {
  std::string hub;
  std::int64_t n = 1;
  std::optional<Hash> prev;  // hash of event n - 1; none exactly if n is 1
  Instant time;
  std::int64_t mono = 0;
  bool clock_trusted = false;
  std::string kind;  // see is_event_kind
  std::optional<std::string> resident;
  std::optional<std::string> camera;
  std::optional<WindowOnDate> window;
  std::optional<Hash> order;
  std::optional<Person> who;
  std::optional<std::string> reason;
  std::int64_t count = 1;
};
bool is_event_kind(std::string_view kind);

struct LinkKey {
  crypto::P256PublicKey device_key;  // whose thumbprint is the hub
  crypto::P256PublicKey link_key;
  std::int64_t n = 1;
};

struct Countersign {
  std::string hub;
  Hash order{};
  Instant time;
};

Result<Receipt> parse_receipt(std::string_view payload);
Result<Answer> parse_answer(std::string_view payload);
Result<Event> parse_event(std::string_view payload);
Result<LinkKey> parse_link_key(std::string_view payload);
Result<Countersign> parse_countersign(std::string_view payload);
std::string format(const Receipt& receipt);
std::string format(const Answer& answer);
std::string format(const Event& event);
std::string format(const LinkKey& link_key);
std::string format(const Countersign& countersign);

// SHA-256 of signed(kind, payload): the document's name, what events chain and outcomes point at.
Hash document_hash(DeviceKind kind, std::string_view payload);

// {"payload", "sig"}, signed by the device key.
std::string seal(DeviceKind kind, std::string_view payload, const crypto::P256PrivateKey& device_key);

// The payload text of an envelope. Refused "bad_signature" unless the key signed it as this kind; "malformed".
Result<std::string> open(DeviceKind kind, std::string_view envelope, const crypto::P256PublicKey& device_key);

// A link key request names the device key itself: opened under that, and the payload's hub is its thumbprint, else
// refused "wrong_device_key".
Result<LinkKey> open_link_key(std::string_view envelope);

}  // namespace tillsyn::orders
