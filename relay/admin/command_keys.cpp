#include <iostream>
#include <memory>

#include "common/base/json.h"
#include "relay/admin/commands.h"
#include "relay/admin/documents.h"
#include "relay/admin/keys.h"
#include "relay/admin/root.h"
#include "relay/store/key_file.h"

namespace tillsyn::admin {
namespace {

void add_key(CLI::App& app, Action& chosen, KeyType type, const char* name, const char* what) {
  auto* group = app.add_subcommand(name, what);
  group->require_subcommand(1);
  auto* make = group->add_subcommand("new", "Make a key: FILE (keep it secret) and FILE.pub");
  const auto out = std::make_shared<std::string>();
  make->add_option("--out", *out, "where to put it; never over a file that is there")->required();
  make->callback([&chosen, type, out] { chosen = [type, out] { return make_key(type, *out); }; });
}

Result<void> print_relay_keys(const Path& store, const std::string& provider) {
  if (!orders::is_slug(provider)) return refused("provider", "a provider is named by 1 to 32 of a-z, 0-9 and '-'");
  std::error_code error;
  std::filesystem::create_directories(store, error);
  if (!error) std::filesystem::permissions(store, std::filesystem::perms::owner_all, error);
  if (error) return Error{Code::kIo, "file", "cannot make the folder " + store.string() + ": " + error.message()};
  TILLSYN_TRY(ledger_key, store::ledger_key(store, provider));
  TILLSYN_TRY(client_key, store::client_key(store));
  const Json out = {{"ledger_key", to_base64url(ledger_key.public_key().bytes())},
                    {"client_jwks", store::client_jwks(client_key)}};
  std::cout << canonical_json(out) << "\n";
  return {};
}

void add_relay_keys(CLI::App& app, Action& chosen) {
  struct Options {
    std::string store, provider;
  };
  auto* command = app.add_subcommand(
      "relay-keys", "Print what the root list and the identity provider need to know of a relay's keys");
  const auto options = std::make_shared<Options>();
  command->add_option("--store", options->store, "the relay's folder; the keys are made there if they are not")
      ->required();
  command->add_option("--provider", options->provider)->required();
  command->callback(
      [&chosen, options] { chosen = [options] { return print_relay_keys(options->store, options->provider); }; });
}

struct FleetRootOptions {
  std::int64_t threshold = 0;
  std::vector<std::string> keys;
  std::string out;
};

Result<void> write_fleet_root(const FleetRootOptions& options) {
  std::vector<crypto::Ed25519PublicKey> keys;
  for (const auto& file : options.keys) {
    TILLSYN_TRY(key, read_public_key(file));
    keys.push_back(key);
  }
  TILLSYN_TRY(root, make_fleet_root(options.threshold, keys));
  return write_file(options.out, root);
}

}  // namespace

void add_keys(CLI::App& app, Action& chosen) {
  add_key(app, chosen, KeyType::kRoot, "root-key", "The offline keys that sign root lists");
  add_key(app, chosen, KeyType::kBundle, "bundle-key", "The key of the machine that makes bundles");
  add_relay_keys(app, chosen);
}

void add_fleet_root(CLI::App& app, Action& chosen) {
  auto* group = app.add_subcommand("fleet-root", "Which root keys count, pinned in hubs and the staff app");
  group->require_subcommand(1);
  auto* make = group->add_subcommand("make", "Make a fleet root of public keys");
  const auto options = std::make_shared<FleetRootOptions>();
  make->add_option("--threshold", options->threshold, "how many of the keys must sign")->required();
  make->add_option("--key", options->keys, "a .pub file; once for each key")->required();
  make->add_option("--out", options->out)->required();
  make->callback([&chosen, options] { chosen = [options] { return write_fleet_root(*options); }; });
}

}  // namespace tillsyn::admin
