#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "relay/alarms/hearing.h"
#include "relay/care/provider.h"

namespace tillsyn::alarms {

// A hub is lost after 45 s of silence, and what is lost together is one event: of the hubs of one group (or of the
// whole provider) at least three and at least half (of every group) have gone silent. So a loss is held back for
// kGather, in which the others' next words are due, and told within a minute.
inline constexpr std::chrono::seconds kLostAfter{45};
inline constexpr std::chrono::seconds kGather{8};
inline constexpr std::chrono::seconds kSuspectAfter{27};  // a poll is held for 25 s
inline constexpr std::size_t kLeastTogether = 3;

// What was lost together comes back within so long of more than half of it (a hub tries again after 30 s at the latest,
// and is heard when its first poll is): only then is what is still away a loss of its own.
inline constexpr std::chrono::seconds kReturn{45};

// Lost and back so often is flapping, and told as that instead.
inline constexpr int kFlaps = 3;
inline constexpr std::chrono::minutes kFlapsWithin{15};

// Makes the losses in the store what `hearing` says, with one log entry each for `hub_lost` `hub_back` `hub_flapping`
// `area_lost` `area_back` (the area in the details, "*" for the whole provider), all or nothing. What was lost before a
// restart stays lost and is not entered again. Every hub that is back may be told waiting orders anew. True if
// anything changed.
Result<bool> judge_losses(care::Provider& provider, const Hearing& hearing, Instant now);

struct Loss {
  std::string hub;
  Instant lost;
  std::optional<std::string> event;  // the area's loss it is part of
};
struct AreaLoss {
  std::string id;
  std::optional<std::string> area;  // nullopt: the whole provider
  Instant lost;
};

// What is lost now.
Result<std::vector<Loss>> open_losses(care::Provider& provider);
Result<std::vector<AreaLoss>> open_area_losses(care::Provider& provider);

// Hubs that were lost kFlaps times within kFlapsWithin, with when the first of these was.
Result<std::map<std::string, Instant>> flapping(care::Provider& provider, Instant now);

}  // namespace tillsyn::alarms
