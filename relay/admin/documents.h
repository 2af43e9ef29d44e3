#pragma once

#include <optional>
#include <string>

#include "common/orders/bundle.h"
#include "common/orders/root_list.h"
#include "relay/admin/files.h"

// Trust documents from files. Errors name the file and what to do. Threads: reentrant.
namespace tillsyn::admin {

struct RootListFile {
  std::string envelope;  // as it stands in the file
  orders::RootList list;
};

struct BundleFile {
  std::string envelope;
  orders::Bundle bundle;
};

Result<orders::FleetRoot> read_fleet_root(const Path& file);

// Signed by enough root keys. Says nothing of its age.
Result<RootListFile> read_root_list(const Path& file, const orders::FleetRoot& root);

// The same without its signatures judged: only for handing it on to those who judge it themselves.
Result<RootListFile> read_root_list_unjudged(const Path& file);

// And not run out at `now`.
Result<RootListFile> read_current_root_list(const Path& file, const orders::FleetRoot& root, Instant now);

// Signed by a bundle key of the list. Says nothing of its age.
Result<BundleFile> read_bundle(const Path& file, const orders::RootList& list);

Result<const orders::Provider*> find_provider(const orders::RootList& list, const std::string& id);

}  // namespace tillsyn::admin
