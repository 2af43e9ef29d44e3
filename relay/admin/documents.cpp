#include "relay/admin/documents.h"

namespace tillsyn::admin {
namespace {

// A text in an envelope grows by its escapes; the payload's own limit is checked by its parser.
constexpr std::size_t kMaxRootListFile = 3 * orders::kMaxRootListBytes;
constexpr std::size_t kMaxBundleFile = 3 * orders::kMaxBundleBytes;
constexpr std::size_t kMaxFleetRootFile = 16 * 1024;

}  // namespace

Result<orders::FleetRoot> read_fleet_root(const Path& file) {
  TILLSYN_TRY(text, read_file(file, kMaxFleetRootFile));
  auto root = orders::parse_fleet_root(text);
  if (!root) return root.error().within(file.string() + " is no fleet root; make one with 'fleet-root make'");
  return root;
}

Result<RootListFile> read_root_list(const Path& file, const orders::FleetRoot& root) {
  TILLSYN_TRY(envelope, read_file(file, kMaxRootListFile));
  auto list = orders::open_root_list(envelope, root);
  if (!list) return list.error().within(file.string() + " is no root list under this fleet root");
  return RootListFile{std::move(envelope), std::move(*list)};
}

Result<RootListFile> read_root_list_unjudged(const Path& file) {
  TILLSYN_TRY(envelope, read_file(file, kMaxRootListFile));
  const auto read = orders::parse_trust_envelope(envelope, orders::kMaxRootListBytes);
  if (!read) return read.error().within(file.string() + " is no root list");
  auto list = orders::parse_root_list(read->payload);
  if (!list) return list.error().within(file.string() + " is no root list");
  return RootListFile{std::move(envelope), std::move(*list)};
}

Result<RootListFile> read_current_root_list(const Path& file, const orders::FleetRoot& root, Instant now) {
  TILLSYN_TRY(read, read_root_list(file, root));
  if (const auto current = orders::check_current(read.list, now); !current)
    return current.error().within(file.string() + " ran out at " + format_instant(read.list.expires_at) +
                                  ": make a new root list");
  return std::move(read);
}

Result<BundleFile> read_bundle(const Path& file, const orders::RootList& list) {
  TILLSYN_TRY(envelope, read_file(file, kMaxBundleFile));
  auto bundle = orders::open_bundle(envelope, list);
  if (!bundle) return bundle.error().within(file.string() + " is no bundle under this root list");
  return BundleFile{std::move(envelope), std::move(*bundle)};
}

Result<const orders::Provider*> find_provider(const orders::RootList& list, const std::string& id) {
  if (const auto* found = list.provider(id)) return found;
  std::string known;
  for (const auto& provider : list.providers) known += " " + provider.id;
  return Error{Code::kNotFound, "provider", "the root list names no provider " + id + "; it names" + known};
}

}  // namespace tillsyn::admin
