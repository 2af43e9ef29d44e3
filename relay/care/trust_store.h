#pragma once

#include <memory>
#include <string>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/bundle.h"
#include "common/orders/root_list.h"
#include "relay/store/database.h"

namespace tillsyn::care {

// What orders are judged by, both verified. Shared, so that other threads may keep reading what they began with.
struct Trusted {
  std::shared_ptr<const orders::RootList> root_list;
  std::shared_ptr<const orders::Bundle> bundle;
};

// The newest root list and bundle, as the municipality signed them. Who hands them in does not matter: they prove
// themselves, and an older one never replaces a newer one.
// Threads: thread-bound.
class TrustStore {
 public:
  // Borrows `shared`. What is held is verified anew; what `root` does not vouch for any more counts as not held.
  static Result<std::unique_ptr<TrustStore>> open(store::Database& shared, orders::FleetRoot root);

  // Takes the envelope, durable when it returns. true: it is newer than what was held; false: it is what was held.
  // Failures are those of orders::open_…, check_successor and check_current.
  Result<bool> take_root_list(const std::string& envelope, Instant now);
  Result<bool> take_bundle(const std::string& envelope, Instant now);

  const std::shared_ptr<const orders::RootList>& root_list() const { return root_list_; }  // null while there is none
  const std::shared_ptr<const orders::Bundle>& bundle() const { return bundle_; }
  const std::string& root_list_text() const { return root_list_text_; }  // the envelope; empty while there is none
  const std::string& bundle_text() const { return bundle_text_; }

  // Both, or kUnavailable "bundle_missing".
  Result<Trusted> trusted() const;

 private:
  TrustStore(store::Database& shared, orders::FleetRoot root) : shared_(shared), root_(std::move(root)) {}
  Result<void> load();
  Result<bool> is_kept();
  Result<void> keep(const char* kind, const std::string& envelope, Instant now);

  store::Database& shared_;
  orders::FleetRoot root_;
  std::shared_ptr<const orders::RootList> root_list_;
  std::shared_ptr<const orders::Bundle> bundle_;
  std::string root_list_text_;
  std::string bundle_text_;
};

}  // namespace tillsyn::care
