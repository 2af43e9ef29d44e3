#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/order.h"
#include "common/sqlite/database.h"

namespace tillsyn::gate {

// A signed event as it lies in the log and goes to the relay.
struct StoredEvent {
  std::int64_t n = 0;
  std::string envelope;
};

struct LastEvent {
  std::int64_t n = 0;
  orders::Hash hash{};
};

struct LinkKeyNumber {
  ByteArray<65> point{};
  std::int64_t n = 0;
};

// What the gate must not forget, in one SQLite file. Every function that changes something is durable when it returns
// success, or, within a transaction, when that commits. All errors are kIo and sticky (see sqlite::Database): the owner
// then acknowledges nothing and opens the store anew.
//
// Of accepted orders only the payload is kept: the tokens that proved them are dropped once judged.
// Threads: thread-bound.
class Store {
 public:
  static constexpr std::size_t kMaxWaiting = 64;  // orders; the oldest make room

  static Result<Store> open(const std::string& path);

  Result<sqlite::Transaction> begin() { return sqlite::Transaction::begin(database_); }
  bool failed() const { return database_.failed(); }

  // Root list and bundle, as they came ("root-list", "bundle").
  Result<void> save_trust(const std::string& kind, const std::string& envelope);
  Result<std::optional<std::string>> trust(const std::string& kind);

  // Orders that stand, in the sequence in which they were accepted. One whose text is no longer what was accepted is a
  // fault of the store.
  Result<void> add_accepted(const orders::Order& order);
  Result<std::vector<std::string>> standing_payloads();
  Result<bool> was_accepted(const orders::Hash& order);
  // Forgets the orders of all other providers: the hub has been claimed by `provider`.
  Result<void> keep_only(const std::string& provider);

  // Orders that cannot be judged yet, whole.
  Result<void> add_waiting(const orders::Hash& order, const std::string& text);
  Result<void> remove_waiting(const orders::Hash& order);
  Result<std::vector<std::string>> waiting();

  // Every head that this hub has had; the one added last is the newest.
  Result<void> add_head(const orders::Hash& head);
  Result<std::optional<orders::Hash>> newest_head();
  Result<bool> knows_head(const orders::Hash& head);

  // The log. `add_event` takes the number after the last; events up to the one the relay has made durable are kept 30
  // days.
  Result<void> add_event(std::int64_t n, const orders::Hash& hash, Instant time, const std::string& envelope);
  Result<std::optional<LastEvent>> last_event();
  Result<std::vector<StoredEvent>> events_after(std::int64_t n, std::size_t most);
  Result<std::optional<StoredEvent>> newest_event_of(const std::string& kind);
  Result<void> acknowledge_events(std::int64_t n, Instant now);
  Result<std::int64_t> events_acknowledged();

  // The newest ledger checkpoint that was verified in `epoch` or a later one; size 0: none. A bundle that names a new
  // epoch says that the log begins anew.
  Result<void> save_checkpoint(const orders::LogPoint& point, std::int64_t epoch = 1);
  Result<orders::LogPoint> checkpoint(std::int64_t epoch = 1);

  // Windows whose opening has been logged and whose closing has not.
  Result<void> add_open_window(const orders::WindowOnDate& window);
  Result<void> remove_open_window(const orders::WindowOnDate& window);
  Result<std::vector<orders::WindowOnDate>> open_windows();

  // The latest trusted time, below which no clock is believed.
  Result<void> save_floor(Instant floor);
  Result<std::optional<Instant>> floor();

  // The resident's own pause. A value that is neither of the two is a fault of the store: a flipped bit opens nothing.
  Result<void> save_resident_pause(bool holds);
  Result<bool> resident_pause();

  Result<void> save_link_key(const LinkKeyNumber& key);
  Result<std::optional<LinkKeyNumber>> link_key();

 private:
  explicit Store(sqlite::Database database) : database_(std::move(database)) {}
  Result<std::vector<std::string>> texts(const char* sql);
  Result<void> save_number(const char* name, std::int64_t number);
  Result<std::optional<std::int64_t>> number(const char* name);

  sqlite::Database database_;
};

}  // namespace tillsyn::gate
