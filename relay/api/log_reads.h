#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "relay/ledger/ledger.h"

namespace tillsyn::api {

// Enters who reads a log, before anything of it is shown (`log_read`). A reader goes through it page by page: of one
// person at most one entry a minute, whose details count the readings since the one before. Threads: thread-bound.
class LogReads {
 public:
  static constexpr std::chrono::minutes kEvery{1};

  Result<void> enter(relay_ledger::Ledger& ledger, const ledger::Person& reader, std::uint64_t from, Instant now);

 private:
  struct Reader {
    Instant entered_at;
    std::int64_t since = 0;  // readings that have no entry of their own
  };
  std::map<std::string, Reader> readers_;  // by issuer and person
};

}  // namespace tillsyn::api
