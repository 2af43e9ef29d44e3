#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/ledger/note.h"
#include "common/ledger/tree.h"

namespace tillsyn::ledger {

// What a log claims to be at one moment (C2SP tlog-checkpoint): `root` over its first `size` entries.
struct Checkpoint {
  std::string origin;  // the log's name, which is the name of its key
  std::uint64_t size = 0;
  Hash root{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The note text: origin, size in decimal, root in base64, a line each. parse refuses leading zeros, extension lines, an
// empty tree with another root than empty_root(), sizes past 2^53-1. Reason: "checkpoint". Threads: reentrant, all
// here.
std::string format_checkpoint(const Checkpoint& checkpoint);
Result<Checkpoint> parse_checkpoint(std::string_view text);

// The checkpoint as a note signed by the log itself, under the name checkpoint.origin.
Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::Ed25519PrivateKey& key);

// The checkpoint in `note`, if the log with the key `key` signed it and its origin is the key's name; else refused with
// reason "note_signature" or "checkpoint_origin", or malformed.
Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key);

}  // namespace tillsyn::ledger
