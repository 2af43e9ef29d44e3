#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/ed25519.h"
#include "common/ledger/checkpoint.h"
#include "common/ledger/entry.h"
#include "common/ledger/proof.h"
#include "common/ledger/tree.h"
#include "relay/store/database.h"

namespace tillsyn::relay_ledger {

using ledger::Entry;
using ledger::Hash;
using ledger::Proof;

// One provider's log: RFC 6962 over the entries of PROTOCOL.md, "Ledger entry", kept in the provider's database.
//
// Failures: the database's own are passed on; kRefused "proof_range" for sizes the log does not have. kIo "store_fault"
// when what is stored is no log.
// Threads: thread-bound.
class Ledger {
 public:
  // Borrows `database`. `origin` is the log's name, `key` signs for it. An empty log gets its first entry,
  // `log_opened`.
  static Result<std::unique_ptr<Ledger>> open(store::Database& database, std::string provider, std::string origin,
                                              crypto::Ed25519PrivateKey key, Instant now);
  ~Ledger();

  // Adds an entry. The log sets `seq`, `provider` and `time` (whole seconds of `now`, never before the entry ahead of
  // it); of the rest it believes the caller. Inside a transaction of the database it is durable when that is.
  Result<Entry> append(Entry entry, Instant now);

  // A `relay` entry about what the relay itself saw. `details`, if not null, are kept beside it, salted and committed
  // to.
  struct Seen {
    std::string what;
    std::optional<std::string> hub = std::nullopt;
    std::optional<std::string> resident = std::nullopt;
    std::vector<ledger::Person> who = {};
    std::optional<Hash> hash = std::nullopt;
    std::optional<std::string> reason = std::nullopt;
    Json details = nullptr;
  };
  Result<Entry> append_seen(const Seen& seen, Instant now);

  // How many entries are durable, and when the newest was made. Time never goes back in a log: an entry made under an
  // earlier clock has the time of the one before it.
  Result<std::uint64_t> size();
  Result<Instant> newest();
  Result<ledger::Checkpoint> checkpoint();  // now
  Result<std::string> checkpoint_note();    // the same, signed
  // That of the first `size` entries.
  Result<ledger::Checkpoint> checkpoint_at(std::uint64_t size);
  Result<std::string> checkpoint_note_at(std::uint64_t size);
  ledger::VerifierKey verifier_key() const;

  Result<Proof> inclusion(std::uint64_t seq, std::uint64_t size);

  // Empty when `from` is 0: who knows nothing has nothing to be shown.
  Result<Proof> consistency(std::uint64_t from, std::uint64_t to);

  // The texts of at most `count` entries from `from` on; what is hashed and exported.
  Result<std::vector<std::string>> entries(std::uint64_t from, std::uint64_t count);

  // The entry of the signed document with this hash; kNotFound "no_ledger_entry". Entries of kind `relay` only speak of
  // it.
  Result<Entry> find(const Hash& hash);

 private:
  struct State;
  explicit Ledger(std::unique_ptr<State> state);
  Result<void> load();
  Result<Instant> time_of_newest(std::uint64_t size);
  Result<void> keep(const Entry& entry);

  std::unique_ptr<State> state_;
};

// The entry for a document that a device key has signed; kinds and members as PROTOCOL.md, "Ledger entry". What is not
// named stays empty.
Entry entry_for_document(ledger::EntryKind kind, std::string what, const std::string& hub, const Hash& hash);

// Hashes as JSON: a list of base64url.
Json proof_json(const Proof& proof);

}  // namespace tillsyn::relay_ledger
