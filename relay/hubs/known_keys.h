#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "common/base/bytes.h"
#include "relay/hubs/desk.h"

namespace tillsyn::hubs {

// Whose link keys these are, as the desk has said: good until an enrolment or a revocation. A key that is nobody's is
// not remembered. Threads: thread-bound.
class KnownKeys {
 public:
  using Key = ByteArray<65>;

  std::optional<Hub> find(const Key& key) const {
    const auto found = keys_.find(key);
    return found == keys_.end() ? std::nullopt : std::optional(found->second);
  }

  // As the desk said when it was asked after `forgotten` times of forgetting.
  void remember(const Key& key, const Hub& hub, std::uint64_t forgotten) {
    if (forgotten == forgotten_) keys_.insert_or_assign(key, hub);
  }
  std::uint64_t forgotten() const { return forgotten_; }

  void forget() {
    ++forgotten_;
    keys_.clear();
  }

 private:
  std::uint64_t forgotten_ = 0;
  std::map<Key, Hub> keys_;
};

}  // namespace tillsyn::hubs
