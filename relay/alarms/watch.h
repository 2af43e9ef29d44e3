#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/orders/names.h"
#include "relay/alarms/conditions.h"
#include "relay/alarms/hearing.h"
#include "relay/care/provider.h"

namespace tillsyn::alarms {

// Nobody has acknowledged it: the next ones are called.
inline constexpr std::chrono::minutes kEscalateAfter[] = {std::chrono::minutes(5), std::chrono::minutes(15)};

// So long without a reckoning, and it is an alarm that nobody looked.
inline constexpr std::chrono::minutes kEvaluatedWithin{2};

struct Acknowledged {
  Instant time;
  orders::Person who;
};

// One alarm that has been raised and not cleared.
struct Alarm {
  std::string id;  // b64(16)
  Condition about;
  Instant raised;
  std::int64_t level = 0;  // 0 the people on duty, 1 and 2 those above them
  std::optional<Acknowledged> acknowledged;
};

Json alarm_json(const Alarm& alarm);  // as in openapi.yaml; ids only

// The dead man's switch of one provider: sees to it that every condition has its alarm, and none is told twice.
//
// That something is wrong is derived anew each time (conditions.h). What is stored is what has been told about it:
// raised, acknowledged, escalated, cleared, each in one transaction with its log entry (`alarm_raised`
// `alarm_acknowledged` `alarm_escalated` `alarm_cleared`, the kind as reason) and with the messages to the provider's
// own systems. So a relay killed at any moment goes on where it was. Failures are the store's. Threads: thread-bound.
class Watch {
 public:
  explicit Watch(care::Provider& provider) : provider_(provider) {}

  // What presence says; used from then on.
  void hear(Hearing hearing) { hearing_ = std::move(hearing); }
  void hear_of_copy(CopyHeard copy) { copy_ = std::move(copy); }

  // Looks at everything. True if an alarm was raised, cleared or escalated.
  Result<bool> evaluate(Instant now);

  // What stands, the highest and then the oldest first.
  Result<std::vector<Alarm>> open();

  // `who` sees to it; the first one stays. kNotFound "no_alarm".
  Result<Alarm> acknowledge(const std::string& id, const orders::Person& who, Instant now);

 private:
  Result<std::optional<Instant>> last_evaluation();
  Result<std::optional<Condition>> stood_still(const std::vector<Alarm>& open, Instant now);
  Result<void> remember_evaluation(Instant now);
  Result<void> raise(const Condition& condition, Instant now);
  Result<void> clear(const Alarm& alarm, Instant now);
  Result<bool> escalate(const Alarm& alarm, Instant now);
  Result<void> tell(const char* what, const Alarm& alarm, std::vector<ledger::Person> who, Instant now);

  care::Provider& provider_;
  Hearing hearing_;
  CopyHeard copy_;
  Confirmed confirmed_;
  std::optional<Instant> evaluated_;
  std::optional<Instant> remembered_;
};

}  // namespace tillsyn::alarms
