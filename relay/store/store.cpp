#include "relay/store/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "relay/store/schema.h"

namespace tillsyn::store {
namespace {

constexpr std::size_t kMaxProviderBytes = 32;

bool is_provider(const std::string& text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= kMaxProviderBytes && std::all_of(text.begin(), text.end(), allowed);
}

// Held until the descriptor is closed, also by a crash.
Result<int> lock_folder(const std::filesystem::path& folder) {
  const int lock = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return Error{Code::kIo, "store_fault", "cannot open the store's lock file"};
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  ::close(lock);
  return Error{Code::kUnavailable, "store_in_use",
               "another relay runs on this store: stop that one first, or start this one with a --store of its own"};
}

Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  if (!error && made) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return Error{Code::kIo, "store_fault", "cannot make the store's folder: " + error.message()};
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& folder) {
  TILLSYN_CHECK(make_folder(folder));
  TILLSYN_TRY(lock, lock_folder(folder));
  std::unique_ptr<Store> store(new Store(folder, lock));
  // No provider is named so: a dot is not of its alphabet.
  TILLSYN_TRY(shared, Database::open(folder / "relay.shared.db", shared_schema()));
  store->shared_ = std::move(shared);
  return store;
}

Store::~Store() {
  providers_.clear();
  shared_.reset();
  ::close(lock_);
}

// What is shared comes last: a power cut between two may leave an entry about what did not happen, never the reverse.
std::vector<Database*> Store::all() const {
  std::vector<Database*> out;
  for (const auto& [name, database] : providers_) out.push_back(database.get());
  out.push_back(shared_.get());
  return out;
}

void Store::begin_group() {
  for (Database* one : all()) one->begin_group();
}

bool Store::has_group_written() const {
  const auto databases = all();
  return std::any_of(databases.begin(), databases.end(), [](const Database* one) { return one->has_group_written(); });
}

Result<void> Store::commit_group() {
  Result<void> done;
  for (Database* one : all()) {
    if (const auto committed = one->commit_group(); !committed) done = committed;
  }
  if (done) return done;
  for (Database* one : all()) one->fail(done.error());
  return done;
}

Result<Database*> Store::provider(const std::string& provider) {
  if (!is_provider(provider)) return malformed("provider", "not a provider's name");
  if (const auto held = providers_.find(provider); held != providers_.end()) return held->second.get();
  TILLSYN_TRY(database, Database::open(folder_ / (provider + ".db"), provider_schema()));
  return providers_.emplace(provider, std::move(database)).first->second.get();
}

}  // namespace tillsyn::store
