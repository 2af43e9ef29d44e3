#include "relay/care/trust_store.h"

namespace tillsyn::care {
namespace {

constexpr const char* kRootList = "root-list";
constexpr const char* kBundle = "bundle";

template <typename T>
std::shared_ptr<const T> share(T value) {
  return std::make_shared<const T>(std::move(value));
}

bool is_newer(const orders::RootList* held, const orders::RootList& next) {
  return !held || next.version > held->version;
}
bool is_newer(const orders::Bundle* held, const orders::Bundle& next) { return !held || next.version > held->version; }

}  // namespace

Result<std::unique_ptr<TrustStore>> TrustStore::open(store::Database& shared, orders::FleetRoot root) {
  std::unique_ptr<TrustStore> store(new TrustStore(shared, std::move(root)));
  TILLSYN_CHECK(store->load());
  return store;
}

Result<void> TrustStore::load() {
  TILLSYN_TRY(rows, (shared_.select<std::string, std::string>("select kind, body from trust order by kind desc")));
  for (const auto& [kind, body] : rows) {  // the root list first
    if (kind == kRootList) {
      auto list = orders::open_root_list(body, root_);
      if (!list) continue;
      root_list_ = share(std::move(*list));
      root_list_text_ = body;
    } else if (kind == kBundle && root_list_) {
      auto bundle = orders::open_bundle(body, *root_list_);
      if (!bundle) continue;
      bundle_ = share(std::move(*bundle));
      bundle_text_ = body;
    }
  }
  return {};
}

Result<bool> TrustStore::take_root_list(const std::string& envelope, Instant now) {
  TILLSYN_TRY(list, orders::open_root_list(envelope, root_));
  TILLSYN_CHECK(orders::check_current(list, now));
  TILLSYN_CHECK(orders::check_successor(root_list_.get(), list));
  if (!is_newer(root_list_.get(), list)) return is_kept();
  TILLSYN_CHECK(keep(kRootList, envelope, now));
  root_list_ = share(std::move(list));
  root_list_text_ = envelope;
  return true;
}

Result<bool> TrustStore::take_bundle(const std::string& envelope, Instant now) {
  if (!root_list_) return waiting("root_list_older", "There is no root list yet: hand that in first.");
  TILLSYN_TRY(bundle, orders::open_bundle(envelope, *root_list_));
  TILLSYN_CHECK(orders::check_current(bundle, now));
  TILLSYN_CHECK(orders::check_successor(bundle_.get(), bundle));
  if (!is_newer(bundle_.get(), bundle)) return is_kept();
  TILLSYN_CHECK(keep(kBundle, envelope, now));
  bundle_ = share(std::move(bundle));
  bundle_text_ = envelope;
  return true;
}

// What is held may not be on the disk, if that has failed since: then it is not "held already".
Result<bool> TrustStore::is_kept() {
  TILLSYN_CHECK(shared_.select_one<std::int64_t>("select count(*) from trust", {}));
  return false;
}

Result<void> TrustStore::keep(const char* kind, const std::string& envelope, Instant now) {
  return shared_.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(shared_.run("delete from trust where kind = :kind", {std::string(kind)}));
    TILLSYN_CHECK(shared_.run("insert into trust (kind, body, taken_ms) values (:kind, :body, :at)",
                              {std::string(kind), envelope, std::int64_t{now.time_since_epoch().count()}}));
    return {};
  });
}

Result<Trusted> TrustStore::trusted() const {
  if (root_list_ && bundle_) return Trusted{root_list_, bundle_};
  return Error{Code::kUnavailable, "bundle_missing", "The relay has no trust bundle yet; try again in a while."};
}

}  // namespace tillsyn::care
