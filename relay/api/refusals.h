#pragma once

#include <cstdint>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "relay/ledger/ledger.h"

namespace tillsyn::api {

// Enters what was refused of one kind at one provider (logins, enrolments), each with its reason, but no more than
// kMostAMinute a minute: what was left out is counted in the details of the next one entered. So nobody from outside
// can fill a log. Threads: thread-bound.
class Refusals {
 public:
  static constexpr int kMostAMinute = 60;

  Result<void> enter(relay_ledger::Ledger& ledger, relay_ledger::Ledger::Seen seen, Instant now);

 private:
  Instant minute_;
  int entered_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace tillsyn::api
