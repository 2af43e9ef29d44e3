#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/orders/bundle.h"
#include "common/orders/root_list.h"
#include "common/orders/trust_envelope.h"
#include "firmware/board/clock.h"
#include "firmware/gate/store.h"

namespace tillsyn::gate {

// The root list and the bundle that the hub holds: verified, never older than one seen before, on disk before they
// count. Says nothing of their age; that is the guard's. Threads: thread-bound.
class Trust {
 public:
  // Borrows `store`.
  Trust(orders::FleetRoot root, Store& store) : root_(std::move(root)), store_(store) {}

  // Begins with what lies in the store. To be called once, first.
  Result<void> load();

  const orders::RootList* root_list() const { return root_list_ ? &*root_list_ : nullptr; }
  const orders::Bundle* bundle() const { return bundle_ ? &*bundle_ : nullptr; }

  // Takes what was flashed together with the fleet root, whatever the clock says.
  Result<bool> take_flashed_root_list(const std::string& envelope);

  // Takes what is offered: true if it is newer than what was held, false if it is the same. Failures: as
  // orders::open_root_list, open_bundle and check_successor; refused "root_list_ahead" or "bundle_ahead" for one of the
  // future under a trusted clock, waiting "clock_untrusted" for it under an untrusted one; kIo.
  Result<bool> take_root_list(const std::string& envelope, const board::ClockReading& clock);
  Result<bool> take_bundle(const std::string& envelope, const board::ClockReading& clock);

 private:
  Result<void> load_bundle();
  Result<bool> keep(orders::RootList list, const std::string& envelope);

  orders::FleetRoot root_;
  Store& store_;
  std::optional<orders::RootList> root_list_;
  std::optional<orders::Bundle> bundle_;
  std::optional<orders::BundleVersion> newest_seen_;  // also when its key has been taken off the root list since
};

}  // namespace tillsyn::gate
