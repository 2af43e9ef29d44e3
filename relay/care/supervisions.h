#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/civil/date.h"
#include "relay/care/history.h"
#include "relay/care/provider.h"

namespace tillsyn::care {

// How long before a window the relay begins to look for what stands in its way.
inline constexpr std::chrono::minutes kLookAhead{30};

// One window of one decision on one date. There is exactly one for (resident, date, window), and it ends in exactly one
// outcome; until it has one it is due. Nothing of it is stored: it follows from signed orders.
struct Supervision {
  enum class State {
    kUpcoming,
    kOpen,    // within its window
    kEnding,  // within its window, which ends soon: a warning
    kVisit,   // it ended, or nothing could be seen at all: somebody has to go there
    kDone,    // it has its outcome
  };

  WindowKey key() const { return {resident, date, window}; }
  State state(Instant now) const;

  std::string resident;
  std::string group;
  std::string window;
  civil::LocalDate date;
  Instant start;
  Instant end;              // exclusive
  std::string schedule;     // the order it is due by
  std::vector<Mark> tries;  // not-seen and unable
  // completed, visit-taken, pause-known, or "paused": by staff (`order` is the pause) or by the resident (`order` is
  // the hub's event)
  std::optional<Mark> outcome;
  bool is_paused_by_resident = false;  // that is the outcome: somebody has to know of it all the same
};

const char* state_name(Supervision::State state);  // "visit"

// Where it stands in a list: text that sorts as supervisions() does.
std::string place_of(const Supervision& one);

using Groups = std::function<bool(const std::string& group)>;

// Every supervision whose window is open at some instant in [from, to), by start, then resident, date and window.
//
// A window is due when it is open at a moment at which its schedule was the resident's newest, unless the resident's
// consent had been withdrawn before. So one that had begun when its schedule was replaced stays due, and one whose
// schedule, consent or assignment has run out does too, until a successor or an end is signed: an end that nobody
// signed is no end. Of two schedules that both name it the newer one gives its times.
//
// Of the outcomes signed for it the newest counts, but visit-taken and pause-known, once taken, stay; a visit is taken
// only after its alarm began: after the window, after a try in vain, or after an alarm of this very window.
//
// Only those of groups that `may_see` allows.
Result<std::vector<Supervision>> supervisions(
    Provider& provider, Instant from, Instant to, const Groups& may_see = [](const std::string&) { return true; });

}  // namespace tillsyn::care
