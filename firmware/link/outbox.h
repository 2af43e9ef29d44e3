#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "firmware/ipc/messages.h"

namespace tillsyn::link {

// What gate has signed and the relay has not taken yet. Kept in memory: events come again from gate, which has them on
// disk, and the rest is asked for again by what it answers. Bounded; a full box refuses the newest and counts it.
// Pure. Threads: thread-bound.
class Outbox {
 public:
  static constexpr std::size_t kMaxEach = 512;
  static constexpr std::size_t kMaxBatch = 64;
  static constexpr std::size_t kMaxBatchBytes = 192 * 1024;

  // Takes an answer, receipt, countersign or event. kMalformed "outbox" if it is no envelope (or no numbered event),
  // kUnavailable "outbox" if there is no room. An event that is there already is taken once.
  Result<void> add(ipc::MessageType type, std::string_view envelope);

  // The report of what is next, {"answers","receipts","countersigns","events"}; nothing if there is nothing to say.
  // Answers first: somebody is waiting for them. Asking again before `taken` gives the same and what has come since.
  std::optional<Json> next();

  // The relay has taken the last `next` and holds events up to `events_acked` durably. False if that has changed nothing of
  // what was offered, so that to offer it again at once would be in vain.
  bool taken(std::uint64_t events_acked);

  // The relay holds events up to this number.
  void acked(std::uint64_t events_acked);

  std::size_t size() const;

  // Whether events were refused for want of room since last asked. They are still at gate.
  bool take_missed_events();

 private:
  struct Lane {
    const char* name;
    std::deque<Json> waiting;
    std::size_t offered = 0;
  };

  Lane& lane(ipc::MessageType type);
  Result<void> add_event(Json envelope);

  Lane answers_{"answers", {}, 0};
  Lane receipts_{"receipts", {}, 0};
  Lane countersigns_{"countersigns", {}, 0};
  std::map<std::uint64_t, Json> events_;
  std::optional<std::uint64_t> first_offered_event_;
  bool missed_events_ = false;
};

}  // namespace tillsyn::link
