#include "relay/api/log_reads.h"

namespace tillsyn::api {

Result<void> LogReads::enter(relay_ledger::Ledger& ledger, const ledger::Person& reader, std::uint64_t from,
                             Instant now) {
  Reader& known = readers_[reader.issuer + '\n' + reader.person];
  if (known.entered_at != Instant() && now - known.entered_at < kEvery) {
    ++known.since;
    return {};
  }
  const Json details = {{"from", from}, {"readings_before", known.since}};
  TILLSYN_CHECK(ledger.append_seen({.what = "log_read", .who = {reader}, .details = details}, now));
  known = {now, 0};
  return {};
}

}  // namespace tillsyn::api
