#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/base/bytes.h"

namespace tillsyn::care {

// Whose each thing is that providers give out to show that one is theirs: session tokens, link keys. For those who must
// know before the store thread has time: it gives nobody any right. Holds SHA-256 hashes alone. Threads: thread-safe.
class ProviderIndex {
 public:
  using Hash = ByteArray<32>;

  void put(const Hash& shown, const std::string& provider);
  void drop(const Hash& shown);
  std::optional<std::string> provider_of(const Hash& shown) const;

 private:
  mutable std::mutex mutex_;
  std::map<Hash, std::string> providers_;
};

}  // namespace tillsyn::care
