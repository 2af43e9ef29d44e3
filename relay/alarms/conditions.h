#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "relay/alarms/hearing.h"
#include "relay/care/provider.h"

namespace tillsyn::alarms {

// Something that must not stay as it is, as it follows from orders, documents and presence now. `subject` names it: the
// same thing has the same subject for as long as it lasts.
//
//   missing_outcome   a window has ended and nobody has signed how
//   visit_needed      a supervision was tried in vain
//   resident_paused   a window has begun and the resident has paused: until that is known or somebody goes there
//   hub_missing       a window that is near or open, and no hub that will open; `reason` says why
//   no_windows        a decision in force, its hours have come, and there is no window in them
//   hub_lost, hub_flapping, area_lost, service_lost
//   hub_unassigned    a hub is heard that serves nobody
//   no_receipt        an order that the hub has not confirmed for a minute, though it is heard
//                     (both stay when the hub is not heard any more: nothing is mended by that)
//   order_refused     an order in force that the hub has refused; `reason` is the hub's
//   maintenance_in_window  a window lies in maintenance that was planned before
//   copy_late         the copy of the log that leaves the machine cannot be written or does not keep up; `reason` says
//   copy_disagrees    that copy is not of this log: it has been altered, or is another's
//                     (both are the administrators' and managers' to see to)
//   not_evaluated     nobody looked for any of these for a while: the relay stood still
struct Condition {
  std::string subject;
  std::string kind;
  std::optional<std::string> group = std::nullopt;  // who owns it; nullopt: the whole provider
  std::optional<std::string> resident = std::nullopt;
  std::optional<std::string> hub = std::nullopt;
  std::optional<std::string> window = std::nullopt;
  std::optional<civil::LocalDate> date = std::nullopt;
  std::optional<std::string> order = std::nullopt;  // hash
  std::optional<std::string> reason = std::nullopt;
  Instant since = {};
};

// What hubs have accepted, so that it need not be looked up again: (hub, order hash).
using Confirmed = std::set<std::pair<std::string, std::string>>;

struct Question {
  care::Provider& provider;
  const Hearing& hearing;
  const CopyHeard& copy;
  const std::map<std::string, std::optional<std::string>>& raised;  // the subjects of alarms that stand, with their hub
  Confirmed& confirmed;
  Instant now;
  Instant windows_from;  // windows that ended before this are not looked at
};

// All there are but not_evaluated, in no promised order.
Result<std::vector<Condition>> conditions(const Question& question);

}  // namespace tillsyn::alarms
