#include "relay/care/provider_index.h"

namespace tillsyn::care {

void ProviderIndex::put(const Hash& shown, const std::string& provider) {
  const std::lock_guard lock(mutex_);
  providers_[shown] = provider;
}

void ProviderIndex::drop(const Hash& shown) {
  const std::lock_guard lock(mutex_);
  providers_.erase(shown);
}

std::optional<std::string> ProviderIndex::provider_of(const Hash& shown) const {
  const std::lock_guard lock(mutex_);
  const auto found = providers_.find(shown);
  if (found == providers_.end()) return std::nullopt;
  return found->second;
}

}  // namespace tillsyn::care
