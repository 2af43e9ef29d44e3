#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "relay/store/database.h"

namespace tillsyn::store {

// A relay's folder: one file a provider (`<provider>.db`), so that nothing of one can be read through another, and
// `relay.shared.db` for what belongs to none: trust documents and enrolment. Held by one process: a second one is
// refused, kUnavailable "store_in_use", until the first has ended. Threads: thread-bound, with every Database it hands
// out.
class Store {
 public:
  // Makes the folder (mode 0700) if it is not there.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& folder);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::filesystem::path& folder() const { return folder_; }

  // What belongs to no provider. Borrowed, as the next.
  Database& shared() { return *shared_; }

  // As Database's, over all. Where one cannot be committed every one has failed: what belongs to it may be in any.
  void begin_group();
  bool has_group_written() const;
  Result<void> commit_group();

  // The provider's own, made at the first call. `provider` is [a-z0-9-]{1,32}; anything else is kMalformed "provider".
  Result<Database*> provider(const std::string& provider);

 private:
  std::vector<Database*> all() const;
  Store(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}

  std::filesystem::path folder_;
  int lock_;
  std::unique_ptr<Database> shared_;
  std::map<std::string, std::unique_ptr<Database>> providers_;
};

}  // namespace tillsyn::store
