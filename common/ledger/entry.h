#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/ledger/tree.h"

namespace tillsyn::ledger {

constexpr std::size_t kMaxEntryBytes = 8 * 1024;

enum class EntryKind { kOrder, kAnswer, kReceipt, kEvent, kCountersign, kRelay };

struct Person {
  std::string issuer;
  std::string person;

  friend bool operator==(const Person&, const Person&) = default;
};

// One line of a provider's log: ids only (PROTOCOL.md, "Ledger entry").
struct Entry {
  std::uint64_t seq = 0;  // the leaf's index
  Instant time;           // the relay's clock, whole seconds
  EntryKind kind = EntryKind::kRelay;
  std::string what;  // order: its type; event: its kind; answer: the decision; receipt: the verdict; relay: its word
  std::string provider;
  std::optional<std::string> hub;
  std::optional<std::string> resident;
  std::vector<Person> who;
  std::optional<Hash> hash;  // of the signed document
  std::optional<std::string> reason;
  std::optional<Hash> details;  // salted commitment to what stands beside the entry

  friend bool operator==(const Entry&, const Entry&) = default;
};

// The entry's one spelling, RFC 8785 JSON: what is stored, exported and hashed. Threads: reentrant, all here.
std::string format_entry(const Entry& entry);

// Reads exactly what format_entry writes: another spelling of the same values is malformed too. Reasons: "json",
// "member", "entry".
Result<Entry> parse_entry(std::string_view text);

// leaf_hash of the entry's text.
Hash entry_leaf(const Entry& entry);

// The entry that the log must hold for an order: all but `seq` and `time` follows from the payload text as it was
// signed. Relay and hub both build it here, so a hub can tell that it was entered unchanged. Judges nothing of the
// order but the form of the members it copies; reasons as in parse_json and JsonReader.
Result<Entry> entry_for_order(std::string_view payload, std::uint64_t seq, Instant time);

}  // namespace tillsyn::ledger
