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

  // Takes what is offered: true if it is newer than what was held, false if it is the same. Failures: as
  // orders::open_root_list, open_bundle and check_successor; refused "bundle_ahead" for a bundle of the future under a
  // trusted clock, waiting "clock_untrusted" for it under an untrusted one; kIo.
  Result<bool> take_root_list(const std::string& envelope);
  Result<bool> take_bundle(const std::string& envelope, const board::ClockReading& clock);

 private:
  Result<void> load_bundle();

  orders::FleetRoot root_;
  Store& store_;
  std::optional<orders::RootList> root_list_;
  std::optional<orders::Bundle> bundle_;
};

}  // namespace tillsyn::gate
