#include "firmware/gate/resident_pause.h"

namespace tillsyn::gate {

Result<void> ResidentPause::load() {
  TILLSYN_TRY(held, store_.resident_pause());
  holds_ = held;
  return {};
}

Result<void> ResidentPause::toggle(const std::string& resident, const board::ClockReading& clock) {
  orders::Event event;
  event.kind = holds_ ? "resident_resumed" : "resident_paused";
  if (!resident.empty()) event.resident = resident;
  TILLSYN_TRY(transaction, store_.begin());
  TILLSYN_CHECK(store_.save_resident_pause(!holds_));
  TILLSYN_CHECK(log_.append(std::move(event), clock));
  TILLSYN_CHECK(transaction.commit());
  holds_ = !holds_;
  return {};
}

}  // namespace tillsyn::gate
