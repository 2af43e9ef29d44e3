#include "firmware/gate/trust.h"

#include "common/orders/refusals.h"

namespace tillsyn::gate {
namespace {

// How far the clock of the machine that makes bundles may be ahead of ours, both being trusted.
constexpr std::chrono::seconds kAhead{60};

// A date of the future would close the hub until it has come: the clock is never set back behind it.
Result<void> check_not_ahead(Instant issued_at, const board::ClockReading& clock, const char* reason) {
  if (issued_at <= clock.utc + kAhead) return {};
  if (clock.is_trusted())
    return refused(reason, "dated in the future: set the clock of the machine that made it right");
  return orders::wait_for("clock_untrusted", "dated ahead of the clock");
}

}  // namespace

Result<void> Trust::load() {
  TILLSYN_TRY(root_list, store_.trust("root-list"));
  if (!root_list) return {};
  // What no longer verifies was signed by a fleet root that has been replaced by flashing.
  auto list = orders::open_root_list(*root_list, root_);
  if (!list) return {};
  root_list_ = std::move(*list);
  return load_bundle();
}

// The bundle must be good under the root list that is held now, not under the one that it came with.
Result<void> Trust::load_bundle() {
  bundle_.reset();
  TILLSYN_TRY(envelope, store_.trust("bundle"));
  if (!envelope) return {};
  newest_seen_ = orders::version_in(*envelope);
  auto bundle = orders::open_bundle(*envelope, *root_list_);
  if (bundle) bundle_ = std::move(*bundle);
  return {};
}

Result<bool> Trust::take_flashed_root_list(const std::string& envelope) {
  TILLSYN_TRY(list, orders::open_root_list(envelope, root_));
  return keep(std::move(list), envelope);
}

Result<bool> Trust::take_root_list(const std::string& envelope, const board::ClockReading& clock) {
  TILLSYN_TRY(list, orders::open_root_list(envelope, root_));
  TILLSYN_CHECK(check_not_ahead(list.issued_at, clock, "root_list_ahead"));
  return keep(std::move(list), envelope);
}

Result<bool> Trust::keep(orders::RootList list, const std::string& envelope) {
  TILLSYN_CHECK(orders::check_successor(root_list(), list));
  if (root_list_ && root_list_->version == list.version) return false;
  TILLSYN_CHECK(store_.save_trust("root-list", envelope));
  root_list_ = std::move(list);
  TILLSYN_CHECK(load_bundle());
  return true;
}

Result<bool> Trust::take_bundle(const std::string& envelope, const board::ClockReading& clock) {
  if (!root_list_) return orders::wait_for("bundle_missing", "no root list");
  TILLSYN_TRY(next, orders::open_bundle(envelope, *root_list_));
  TILLSYN_CHECK(orders::check_successor(bundle(), next));
  if (bundle_ && bundle_->version == next.version) return false;
  if (newest_seen_ && next.version < *newest_seen_) return orders::refuse("bundle_older");
  TILLSYN_CHECK(check_not_ahead(next.issued_at, clock, "bundle_ahead"));
  TILLSYN_CHECK(store_.save_trust("bundle", envelope));
  newest_seen_ = next.version;
  bundle_ = std::move(next);
  return true;
}

}  // namespace tillsyn::gate
