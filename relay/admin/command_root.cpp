#include <iostream>
#include <memory>

#include "relay/admin/commands.h"
#include "relay/admin/documents.h"
#include "relay/admin/keys.h"
#include "relay/admin/root.h"
#include "relay/admin/system_time.h"

namespace tillsyn::admin {
namespace {

struct MakeOptions {
  std::string spec, out;
  std::vector<std::string> keys;
  std::int64_t days = 180;
};

Result<void> make(const MakeOptions& options) {
  TILLSYN_TRY(spec, read_file(options.spec, orders::kMaxRootListBytes));
  std::vector<crypto::Ed25519PrivateKey> keys;
  for (const auto& file : options.keys) {
    TILLSYN_TRY(key, read_key(KeyType::kRoot, file));
    keys.push_back(std::move(key));
  }
  TILLSYN_TRY(envelope, make_root_list(spec, std::chrono::days(options.days), keys, system_time()));
  return write_file(options.out, envelope);
}

Result<void> check(const std::string& fleet_root, const std::string& root_list) {
  TILLSYN_TRY(root, read_fleet_root(fleet_root));
  TILLSYN_TRY(file, read_root_list(root_list, root));
  const Instant now = system_time();
  std::cout << describe(file.list, now);
  if (now < file.list.expires_at) return {};
  return refused("root_list_expired", "this root list has run out: nobody accepts it; make a new one");
}

void add_make(CLI::App& group, Action& chosen) {
  auto* command = group.add_subcommand("make", "Make a root list and sign it");
  const auto options = std::make_shared<MakeOptions>();
  command->add_option("--spec", options->spec, "what it says, without issued_at and expires_at")->required();
  command->add_option("--key", options->keys, "a root key; once for each that signs")->required();
  command->add_option("--out", options->out)->required();
  command->add_option("--days", options->days, "how long it is good, 1-400")->capture_default_str();
  command->callback([&chosen, options] { chosen = [options] { return make(*options); }; });
}

void add_check(CLI::App& group, Action& chosen) {
  struct Options {
    std::string fleet_root, root_list;
  };
  auto* command = group.add_subcommand("check", "Verify a root list and say what is in it and what ends soon");
  const auto options = std::make_shared<Options>();
  command->add_option("--fleet-root", options->fleet_root)->required();
  command->add_option("--root-list", options->root_list)->required();
  command->callback(
      [&chosen, options] { chosen = [options] { return check(options->fleet_root, options->root_list); }; });
}

}  // namespace

void add_root(CLI::App& app, Action& chosen) {
  auto* group = app.add_subcommand("root", "The root list: who is who");
  group->require_subcommand(1);
  add_make(*group, chosen);
  add_check(*group, chosen);
}

}  // namespace tillsyn::admin
