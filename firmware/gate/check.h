#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.h"
#include "firmware/gate/hardware.h"
#include "firmware/gate/order_desk.h"
#include "firmware/gate/trust.h"

namespace tillsyn::gate {

// What `tillsyn-hub status` and `selftest` show of the gate (kCheck in firmware/ipc/messages.h). It stays in the home:
// who reads it stands before the hub.
struct CheckFacts {
  const OrderDesk& desk;
  const Trust& trust;
  const Hardware& hardware;
  board::ClockReading clock;
  std::optional<orders::Event> last_view;  // its view_ended, or view_started while it runs
  std::optional<orders::Event> last_hold;  // of the button
  std::vector<std::string> faults;         // Preflight::faults as of now, and what else is wrong
  std::optional<bool> light_tried;         // whether it was lit and seen to shine; nullopt: not tried
};

// As one JSON object:
//   {"time","clock":word,"state","resident","open":bool,"reason":word|null,"until":time|null,"next":time|null,
//    "cameras":[{"id","identifier":text|null,"there":bool}],"light":"lit"|"dark"|"none"|"fault","light_tried":bool|null,
//    "button":bool,"button_held_at":time|null,"root_list":{"version","expires_at"}|null,
//    "bundle":{"counter","issued_at","expires_at"}|null,"last_view":{"kind","time","camera","reason":text|null}|null,
//    "free_bytes":n|null,"faults":[word]}
std::string check_text(const CheckFacts& facts);

}  // namespace tillsyn::gate
