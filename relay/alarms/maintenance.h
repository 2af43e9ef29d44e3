#pragma once

#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "relay/care/provider.h"

namespace tillsyn::alarms {

// Maintenance of the service, announced ahead: within it a lost hub is no alarm, and so it may hold no window.
struct Maintenance {
  std::string id;
  Instant from;
  Instant to;          // exclusive
  std::string reason;  // for staff to read, at most 500 bytes
};

// Reads {"from","to","reason"}; at most 12 h long.
Result<Maintenance> read_maintenance(const Json& value);

// Plans it, with its log entry `maintenance_planned`. kRefused "not_ahead" unless it begins in the future; kConflict
// "in_window" when a supervision's window lies in it.
Result<void> plan(care::Provider& provider, const Maintenance& maintenance, const orders::Person& by, Instant now);

// kNotFound "no_maintenance". Entered as `maintenance_cancelled`.
Result<void> cancel(care::Provider& provider, const std::string& id, const orders::Person& by, Instant now);

// What is not over yet, by beginning.
Result<std::vector<Maintenance>> planned_after(care::Provider& provider, Instant now);
Result<bool> planned_at(care::Provider& provider, Instant now);

// How many supervisions that are not done have their window in [from, to).
Result<std::size_t> windows_in(care::Provider& provider, Instant from, Instant to);

}  // namespace tillsyn::alarms
