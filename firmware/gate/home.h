#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "firmware/board/key_store.h"
#include "firmware/gate/event_log.h"
#include "firmware/gate/order_desk.h"
#include "firmware/gate/resident_pause.h"
#include "firmware/gate/store.h"
#include "firmware/gate/trust.h"
#include "firmware/gate/view_judge.h"
#include "firmware/gate/window_log.h"

namespace tillsyn::gate {

// Everything that is built from what lies on disk: opened together and, after the first I/O error, opened anew
// together. Threads: thread-bound.
class Home {
 public:
  struct Settings {
    std::string store_path;
    orders::FleetRoot fleet_root;
    std::string flashed_root_list;  // envelope; empty: none. Taken if it is newer than the stored one
  };

  // Borrows `keys`.
  static Result<std::unique_ptr<Home>> open(const Settings& settings, const board::KeyStore& keys);

  Standing standing() const { return desk.standing(); }

  // A short press of the button, which belongs to the resident: begins their pause, or ends it. It begins none while
  // the hub serves nobody. Whoever was at the button before is gone then.
  Result<void> button_pressed(const board::ClockReading& clock);

  // The button held: an installer is there. False while the resident has paused, when it means nothing.
  bool button_held(std::chrono::milliseconds boot);

  // The latest time that this hub knows to have passed: what no clock may be before.
  Result<Instant> floor();

  Store store;
  Trust trust;
  EventLog log;
  ResidentPause pause;
  OrderDesk desk;
  ViewJudge judge;
  WindowLog windows;

 private:
  Home(Store opened, const Settings& settings, const board::KeyStore& keys);
  Result<void> check_head();
};

}  // namespace tillsyn::gate
