#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ledger/checkpoint.h"
#include "common/ledger/entry.h"
#include "relay/admin/relay.h"

namespace tillsyn::admin {

// Rebuilds a provider's log from its entries' texts and says what is wrong with it first. Threads: thread-bound.
class Replay {
 public:
  explicit Replay(std::string provider) : provider_(std::move(provider)) {}

  // The next entry. Refused "log" with a sentence that names it: not in the one spelling that the log writes, another
  // provider's, out of sequence (dropped, inserted or moved), or dated before the entry ahead of it.
  Result<void> add(std::string_view text);

  // Refused "log" unless the entries added are exactly those that `claimed` was signed over.
  Result<void> check_against(const ledger::Checkpoint& claimed) const;

  std::uint64_t size() const { return leaves_.size(); }
  const std::vector<ledger::Hash>& leaves() const { return leaves_; }

  // Root of the first `size` entries. Precondition: size <= size().
  ledger::Hash root_of_first(std::uint64_t size) const;

  // Precondition: at < size().
  Instant time_of(std::uint64_t at) const { return times_[at]; }

  // The entries of kind order, in sequence.
  const std::vector<ledger::Entry>& orders() const { return orders_; }

 private:
  Result<void> check_place(const ledger::Entry& entry) const;

  std::string provider_;
  std::vector<ledger::Hash> leaves_;
  std::vector<Instant> times_;
  std::vector<ledger::Entry> orders_;
};

// A log that has been replayed: entry by entry the one that its checkpoint was signed over.
struct ReplayedLog {
  std::string note;  // the checkpoint, signed
  ledger::Checkpoint checkpoint;
  Replay replay;
};

// Fetches the checkpoint and every entry under it, and replays them. Refused "log" when the log is not what it says;
// the relay's errors are passed on.
Result<ReplayedLog> replay_log(Relay& relay, const orders::Provider& provider);

// Refused "log" unless the log begins with exactly what `earlier` was signed over.
Result<void> check_continues(const Replay& replay, const ledger::Checkpoint& earlier);

// Gives `take` the texts of the first `size` entries in sequence, unjudged; stops at its first failure.
Result<void> read_entries(Relay& relay, std::uint64_t size, const std::function<Result<void>(std::string_view)>& take);

}  // namespace tillsyn::admin
