#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/orders/device_documents.h"
#include "firmware/board/clock.h"
#include "firmware/board/key_store.h"
#include "firmware/gate/store.h"

namespace tillsyn::gate {

// The hub's own log: numbered, each event chained to the one before by its hash, signed by the device key, on disk
// before anybody is told. Threads: thread-bound.
class EventLog {
 public:
  // Borrows both.
  EventLog(Store& store, const board::KeyStore& keys) : store_(store), keys_(keys) {}

  // Adds an event: `event` says what happened; hub, number, chain and time are filled in here.
  Result<void> append(orders::Event event, const board::ClockReading& clock);

  // The same for what may happen very often (refusals): the first is logged at once; like ones of the same `signer`
  // within a minute are counted, and become one event with that count when `flush` is called a minute later.
  Result<void> append_counted(orders::Event event, const std::string& signer, const board::ClockReading& clock);
  Result<void> flush(const board::ClockReading& clock);

  // The newest event of a kind that is still on disk.
  Result<std::optional<orders::Event>> newest(const std::string& kind);

  static constexpr std::chrono::milliseconds kTogether{60'000};
  static constexpr std::size_t kMaxKinds = 256;  // beyond them all are counted together, whoever signed

 private:
  struct Counted {
    orders::Event event;
    std::chrono::milliseconds since{0};
    std::int64_t more = 0;
  };
  using Key = std::pair<std::string, std::string>;  // signer, kind and reason

  Store& store_;
  const board::KeyStore& keys_;
  std::map<Key, Counted> counted_;
};

}  // namespace tillsyn::gate
