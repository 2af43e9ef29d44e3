#include <iostream>
#include <memory>
#include <set>

#include "relay/admin/commands.h"
#include "relay/admin/describe_bundle.h"
#include "relay/admin/documents.h"
#include "relay/admin/keys.h"
#include "relay/admin/order_counts.h"
#include "relay/admin/system_time.h"
#include "relay/admin/trust.h"

namespace tillsyn::admin {
namespace {

constexpr std::size_t kMaxReplaysFile = std::size_t{1024} * 1024;
constexpr std::size_t kMaxHomesFile = std::size_t{16} * 1024 * 1024;

struct MakeOptions {
  std::string root_list, fleet_root, bundle_key, previous, relay, out;
  std::vector<std::pair<std::string, std::string>> persons, keys;
  std::vector<std::string> hubs, new_epochs;
};

Result<Revocations> revocations(const MakeOptions& options) {
  Revocations out;
  for (const auto& [issuer, person] : options.persons) out.persons.push_back({issuer, person});
  for (const auto& [issuer, kid] : options.keys) out.keys.push_back({issuer, kid});
  for (const auto& hub : options.hubs) {
    const auto id = from_base64url(hub);
    if (!id || id->size() != 32)
      return refused("hub", hub + " is no hub's id: take it from the label or `ledger show`");
    out.hubs.push_back(hub);
  }
  return out;
}

Path replays_file(const Path& bundle) { return bundle.string() + ".replays"; }

Result<LastReplays> read_last_replays(const Path& file) {
  const auto text = read_file(file, kMaxReplaysFile);
  if (!text && text.error().code == Code::kNotFound) return LastReplays();
  if (!text) return text.error();
  auto read = parse_last_replays(*text);
  if (!read) return read.error().within(file.string() + " is damaged; put it back from a backup");
  return read;
}

Result<std::string> fetch_jwks(HttpsClient& client, const orders::Issuer& issuer) {
  TILLSYN_TRY(answer, client.ask({.url = issuer.jwks_uri, .ca = issuer.ca, .bearer = {}, .json = {}}));
  if (answer.status != 200)
    return Error{Code::kUnavailable, "jwks", issuer.jwks_uri + " answered with " + std::to_string(answer.status)};
  return std::move(answer.body);
}

void say(const Report& report) {
  for (const auto& note : report.notes) std::cerr << "note: " << note << "\n";
  for (const auto& alarm : report.alarms) std::cerr << "ALARM: " << alarm << "\n";
}

Result<std::optional<BundleFile>> read_previous(const MakeOptions& options, const orders::RootList& list) {
  if (options.previous.empty()) return std::optional<BundleFile>();
  TILLSYN_TRY(read, read_bundle(options.previous, list));
  return std::optional(std::move(read));
}

Result<void> write_homes(const Path& folder, const HomesFiles& homes) {
  for (const auto& [name, text] : homes) TILLSYN_CHECK(write_file(folder / name, text));
  return {};
}

// The replays are written first: if only they reach the disk, the next run still goes on from what was seen.
Result<void> make(const MakeOptions& options) {
  const Instant now = system_time();
  TILLSYN_TRY(root, read_fleet_root(options.fleet_root));
  TILLSYN_TRY(file, read_current_root_list(options.root_list, root, now));
  TILLSYN_TRY(key, read_key(KeyType::kBundle, options.bundle_key));
  TILLSYN_TRY(previous, read_previous(options, file.list));
  TILLSYN_TRY(address, find_relay(file.list, options.relay));
  TILLSYN_TRY(replays, read_last_replays(replays_file(options.out)));
  HttpsClient client;
  TILLSYN_TRY(revoked, revocations(options));
  const TrustSources sources{[&](const orders::Issuer& issuer) { return fetch_jwks(client, issuer); },
                             [&](const orders::Provider& provider) { return log_in(address, provider.id, key); },
                             revoked, options.new_epochs};
  HomesFiles homes;
  Report report;
  TILLSYN_TRY(bundle,
              next_bundle(file.list, previous ? &previous->bundle : nullptr, sources, replays, now, homes, report));
  TILLSYN_TRY(envelope, seal_bundle(bundle, file.list, key));
  TILLSYN_CHECK(write_file(replays_file(options.out), format_last_replays(replays)));
  TILLSYN_CHECK(write_homes(Path(options.out).parent_path(), homes));
  TILLSYN_CHECK(write_file(options.out, envelope));
  say(report);
  return {};
}

struct CheckOptions {
  std::string fleet_root, root_list, bundle;
};

Result<void> check(const CheckOptions& options) {
  const Instant now = system_time();
  TILLSYN_TRY(root, read_fleet_root(options.fleet_root));
  TILLSYN_TRY(file, read_current_root_list(options.root_list, root, now));
  TILLSYN_TRY(bundle, read_bundle(options.bundle, file.list));
  std::cout << describe(bundle.bundle, file.list, now);
  if (now < bundle.bundle.expires_at) return {};
  return refused("bundle_expired", "this bundle has run out: hubs close; make a new one");
}

struct PublishOptions {
  std::string root_list, bundle, relay, app_dir, ca;
};

std::set<std::string> homes_names(const orders::Bundle& bundle) {
  std::set<std::string> out;
  for (const auto& provider : bundle.providers) out.insert(homes_file_name(provider.homes_root));
  return out;
}

// Whoever still has the bundle before may be fetching its files: those stay one round more.
Result<void> publish_homes(const Path& from, const Path& folder, const orders::RootList& list,
                           const orders::Bundle& bundle) {
  const auto names = homes_names(bundle);
  for (const auto& name : names) {
    TILLSYN_TRY(text, read_file(from / name, kMaxHomesFile));
    TILLSYN_CHECK(write_file(folder / name, text));
  }
  const auto before = read_bundle(folder / "bundle.json", list);
  const auto kept = before ? homes_names(before->bundle) : std::set<std::string>();
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = file.path().filename();
    if (name.starts_with("homes-") && !names.contains(name) && !kept.contains(name))
      std::filesystem::remove(file.path(), error);
  }
  return {};
}

// The relay judges both and refuses older ones, so it goes first; the app's folder gets only what it has taken.
Result<void> publish(const PublishOptions& options) {
  std::error_code error;
  if (!std::filesystem::is_directory(options.app_dir, error))
    return Error{Code::kNotFound, "file",
                 "there is no folder " + options.app_dir + ": give the one that the staff app's origin serves"};
  TILLSYN_TRY(list, read_root_list_unjudged(options.root_list));
  TILLSYN_TRY(bundle, read_bundle(options.bundle, list.list));
  TILLSYN_TRY(address, find_relay(list.list, options.relay));
  if (!options.ca.empty()) {
    TILLSYN_TRY(pem, read_file(options.ca, kMaxReplaysFile));
    address.ca = std::move(pem);
  }
  TILLSYN_CHECK(put_trust(address, "root-list", list.envelope));
  TILLSYN_CHECK(put_trust(address, "bundle", bundle.envelope));
  const Path folder = Path(options.app_dir) / "trust";
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Code::kIo, "file", "cannot make the folder " + folder.string() + ": " + error.message()};
  TILLSYN_CHECK(write_file(folder / "root-list.json", list.envelope));
  TILLSYN_CHECK(publish_homes(Path(options.bundle).parent_path(), folder, list.list, bundle.bundle));
  return write_file(folder / "bundle.json", bundle.envelope);
}

void add_make(CLI::App& group, Action& chosen) {
  auto* command = group.add_subcommand("make", "Make the next bundle: fetch keys, replay the logs, count the homes");
  const auto options = std::make_shared<MakeOptions>();
  command->add_option("--root-list", options->root_list)->required();
  command->add_option("--fleet-root", options->fleet_root)->required();
  command->add_option("--bundle-key", options->bundle_key)->required();
  command->add_option("--previous", options->previous, "the bundle before; leave it out only for the very first");
  command->add_option("--relay", options->relay, "https://name:port, one of the root list's")->required();
  command
      ->add_option(
          "--out", options->out,
          "the bundle; beside it FILE.replays, when each log last replayed, and homes-….json, the homes it counted")
      ->required();
  command->add_option("--revoke-person", options->persons, "ISSUER PERSON: signs nothing more, for good");
  command->add_option("--revoke-key", options->keys, "ISSUER KID: a stolen signing key; what it signed counts no more");
  command->add_option("--revoke-hub", options->hubs, "a hub that was stolen or opened: shows nothing more, for good");
  command->add_option("--new-epoch", options->new_epochs,
                      "PROVIDER: its log begins anew (a relay put back from a backup, a stolen ledger key)");
  command->callback([&chosen, options] { chosen = [options] { return make(*options); }; });
}

void add_check(CLI::App& group, Action& chosen) {
  auto* command = group.add_subcommand("check", "Verify a bundle and say what is in it");
  const auto options = std::make_shared<CheckOptions>();
  command->add_option("--fleet-root", options->fleet_root)->required();
  command->add_option("--root-list", options->root_list)->required();
  command->add_option("--bundle", options->bundle)->required();
  command->callback([&chosen, options] { chosen = [options] { return check(*options); }; });
}

void add_publish(CLI::App& group, Action& chosen) {
  auto* command =
      group.add_subcommand("publish", "Hand root list and bundle to the relay and to the staff app's origin");
  const auto options = std::make_shared<PublishOptions>();
  command->add_option("--root-list", options->root_list)->required();
  command->add_option("--bundle", options->bundle)->required();
  command->add_option("--relay", options->relay, "https://name:port, one of the root list's")->required();
  command->add_option("--app-dir", options->app_dir, "the folder that the staff app's origin serves")->required();
  command->add_option("--ca", options->ca, "PEM file to trust instead of the root list's ca for this relay");
  command->callback([&chosen, options] { chosen = [options] { return publish(*options); }; });
}

}  // namespace

void add_trust(CLI::App& app, Action& chosen) {
  auto* group = app.add_subcommand("trust", "The bundle: what changes daily");
  group->require_subcommand(1);
  add_make(*group, chosen);
  add_check(*group, chosen);
  add_publish(*group, chosen);
}

}  // namespace tillsyn::admin
