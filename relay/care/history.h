#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/payloads.h"
#include "relay/store/database.h"

namespace tillsyn::care {

// What stood in a slot from `from` (when this relay accepted it) until the next of its kind.
template <typename Body>
struct Stood {
  Instant from;
  std::string hash;  // of the order
  Body body;
};

// Everything signed that a resident's supervisions follow from, what has been replaced too, in the sequence of
// acceptance.
struct Timeline {
  std::vector<Stood<orders::ScheduleOrder>> schedules;
  std::vector<Stood<orders::Consent>> consents;
  std::vector<Stood<std::optional<orders::Pause>>> pauses;  // nullopt: resumed
  // By hub: whether the resident's own pause held, from the time that the hub's event names. `hash` is the event's.
  std::map<std::string, std::vector<Stood<bool>>> own_pauses;
};

// One outcome that an operator has signed.
struct Mark {
  std::string type;   // "completed"
  std::string order;  // hash
  Instant posted;     // when this relay accepted it
};

using WindowKey = std::tuple<std::string, civil::LocalDate, std::string>;  // resident, date, window id
using Marks = std::map<WindowKey, std::vector<Mark>>;                      // each in the sequence of acceptance

// The provider's accepted orders, and the presses of hubs' buttons, as they followed upon each other. Reads the tables
// `orders` and `documents`, which are only added to, and remembers what it has read: the tables are what counts, this
// is their index. Threads: thread-bound.
class History {
 public:
  explicit History(store::Database& database) : database_(database) {}

  // What stood when, of every resident; good until the next call.
  Result<const std::map<std::string, Timeline>*> timelines();

  // The outcomes accepted at `since` or later.
  Result<Marks> marks(Instant since);

 private:
  struct Seen {
    WindowKey window;
    Mark mark;
  };
  Result<void> read_standing();
  Result<void> read_presses();
  Result<void> read_marks(Instant since);
  void forget_marks_before(Instant since);

  store::Database& database_;
  std::map<std::string, Timeline> timelines_;
  std::int64_t standing_read_ = 0;  // up to this `n`
  std::int64_t presses_read_ = -1;  // up to this `seq`
  std::vector<Seen> marks_;
  std::optional<Instant> marks_since_;
  std::int64_t marks_read_ = 0;
};

}  // namespace tillsyn::care
