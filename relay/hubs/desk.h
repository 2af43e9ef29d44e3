#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/base/result.h"

namespace tillsyn::hubs {

struct Hub {
  std::string id;  // the device key's thumbprint
  std::string provider;

  friend bool operator==(const Hub&, const Hub&) = default;
};

// Both as envelopes, JSON text; empty while there is none.
struct Trust {
  std::string root_list;
  std::string bundle;
};

// What the relay has to say to a hub now. Empty members are not said.
struct Work {
  Trust trust;                      // newer than what the status names
  std::vector<std::string> orders;  // JSON texts that the hub lacks, in the order in which they stand on each other
  std::optional<std::uint64_t> events_acked;  // newest event that is durable with all before it; none: not known now
  bool has_waiting = false;  // it has been told what it cannot judge yet, and may be told again without a change
};

// What a hub hands in. The envelopes are as sent: their signatures are the desk's to verify.
struct Report {
  std::vector<Json> answers;
  std::vector<Json> receipts;
  std::vector<Json> countersigns;
  std::vector<Json> events;
};

// What the hub routes ask of the folders behind them.
// Threads: called on the store thread alone, one call at a time; may block on disk. Nothing throws.
class Desk {
 public:
  virtual ~Desk() = default;

  // The newest of both, whatever anybody holds.
  virtual Result<Trust> trust() = 0;

  // The hub enrolled under this link key. Refused: "unknown_link_key" (enrol again), "hub_revoked".
  virtual Result<Hub> find(ByteView link_key) = 0;

  // Every hub enrolled and not revoked.
  virtual Result<std::vector<Hub>> enrolled() = 0;

  // Binds `link_key` (the TLS client's, which must be the envelope's) to the hub, once. Every refusal is entered in the
  // log: "bad_code" (unknown, used, run out), "bad_signature", "wrong_hub", "malformed".
  virtual Result<Hub> enrol(const std::string& code, const Json& link_key_envelope, ByteView link_key) = 0;

  // `status` as the gate gave it (PROTOCOL.md), null while the gate is away: then only trust is said. What is said
  // depends on the status's trust, slots and acknowledged events alone.
  virtual Result<Work> work_for(const Hub& hub, const Json& status) = 0;

  // Makes the report durable and enters it in the log; what is held already is taken again without effect. The newest
  // event acknowledged. An answer or event whose signature is wrong is left out and logged, the rest stands.
  virtual Result<std::uint64_t> record(const Hub& hub, const Report& report) = 0;
};

}  // namespace tillsyn::hubs
