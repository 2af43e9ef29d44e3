#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/civil/date.h"

namespace tillsyn::civil {

// The clock changes of one time zone, copied out of the system's tzdata when it is loaded: what is asked afterwards
// needs no file, no lock and no allocation. Covers 1970 to 2037, which is as far as tzdata's compiled files list the
// changes one by one; after that the last offset stays.
//
// Threads: immutable, all const members reentrant.
class Zone {
 public:
  // The zone with the IANA name `name` ("Europe/Stockholm"), or malformed, reason "timezone", when this
  // machine's tzdata has none. Reads tzdata at the first call for a name and remembers it for the life of the process;
  // so a program that gives up its access to /usr/share/zoneinfo loads what it needs before. Thread-safe.
  static Result<std::shared_ptr<const Zone>> load(const std::string& name);

  // When the wall shows `since_midnight` on `date`. In the hour that does not exist, counted with the offset from
  // before the change (02:15 becomes 03:15); in the hour that exists twice, the first one (RFC 5545 §3.3.5).
  Instant instant_of(LocalDate date, std::chrono::minutes since_midnight) const;

  // The date on the wall at `instant`.
  LocalDate date_at(Instant instant) const;

 private:
  using LocalInstant = std::chrono::local_time<std::chrono::milliseconds>;

  // A stretch of time with one offset from UTC.
  struct Period {
    Instant end;             // exclusive
    LocalInstant local_end;  // the first local time that belongs to a later period
    std::chrono::seconds offset;
  };

  explicit Zone(std::vector<Period> periods) : periods_(std::move(periods)) {}
  static std::vector<Period> read_periods(const std::string& name);

  std::vector<Period> periods_;  // ascending, never empty; the last one never ends
};

}  // namespace tillsyn::civil
