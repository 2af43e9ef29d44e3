#include <iostream>
#include <memory>

#include "relay/admin/commands.h"
#include "relay/admin/documents.h"
#include "relay/admin/export.h"
#include "relay/admin/keys.h"
#include "relay/admin/relay.h"
#include "relay/admin/replay.h"
#include "relay/admin/system_time.h"

namespace tillsyn::admin {
namespace {

struct ExportOptions {
  std::string relay, root_list, fleet_root, bundle_key, provider, out;
};

Result<Export> fetch(Relay& relay, const orders::Provider& provider) {
  Export out;
  TILLSYN_TRY(note, relay.checkpoint());
  const auto claimed = ledger::open_checkpoint(note, provider.ledger_key);
  if (!claimed)
    return refused(
        "log", "the relay's checkpoint is not signed by the log's key: nothing was exported; tell the municipality");
  out.note = std::move(note);
  TILLSYN_CHECK(read_entries(relay, claimed->size, [&](std::string_view text) -> Result<void> {
    out.entries.emplace_back(text);
    return {};
  }));
  return out;
}

// A log that does not verify is written all the same: it is the evidence.
Result<void> export_log(const ExportOptions& options) {
  TILLSYN_TRY(root, read_fleet_root(options.fleet_root));
  TILLSYN_TRY(file, read_current_root_list(options.root_list, root, system_time()));
  TILLSYN_TRY(provider, find_provider(file.list, options.provider));
  TILLSYN_TRY(key, read_key(KeyType::kBundle, options.bundle_key));
  TILLSYN_TRY(address, find_relay(file.list, options.relay));
  TILLSYN_TRY(relay, log_in(address, provider->id, key));
  TILLSYN_TRY(log, fetch(*relay, *provider));
  TILLSYN_CHECK(write_file(options.out, format_export(log), kPrivateFile));
  const auto checkpoint = verify_export(log, *provider, std::nullopt);
  if (!checkpoint) return checkpoint.error().within(options.out + " was written, but the log in it does not verify");
  std::cout << checkpoint->size << " entries\n";
  return {};
}

struct VerifyOptions {
  std::string fleet_root, root_list, provider, file, earlier;
};

Result<std::optional<Earlier>> read_earlier(const VerifyOptions& options, const orders::RootList& list,
                                            const orders::Provider& provider) {
  if (options.earlier.empty()) return std::optional<Earlier>();
  TILLSYN_TRY(text, read_file(options.earlier, kMaxExportBytes));
  std::string_view known = text;
  const auto bundle = orders::open_bundle(text, list);
  const auto* state = bundle ? bundle->provider(provider.id) : nullptr;
  if (state != nullptr && state->checkpoint) known = *state->checkpoint;
  auto earlier = parse_earlier(known, provider);
  if (!earlier) return earlier.error().within(options.earlier + " cannot vouch for anything");
  return std::optional(std::move(*earlier));
}

Result<void> verify(const VerifyOptions& options) {
  TILLSYN_TRY(root, read_fleet_root(options.fleet_root));
  TILLSYN_TRY(list, read_root_list(options.root_list, root));
  TILLSYN_TRY(provider, find_provider(list.list, options.provider));
  TILLSYN_TRY(earlier, read_earlier(options, list.list, *provider));
  TILLSYN_TRY(text, read_file(options.file, kMaxExportBytes));
  const auto log = parse_export(text);
  if (!log) return log.error().within(options.file + " does not verify");
  const auto checkpoint = verify_export(*log, *provider, earlier);
  if (!checkpoint) return checkpoint.error().within(options.file + " does not verify");
  std::cout << "verified: the whole log " << checkpoint->origin << ", " << checkpoint->size << " entries";
  if (earlier) std::cout << ", continuing the " << earlier->checkpoint.size << " known from before";
  std::cout << "\n";
  return {};
}

Result<void> show(const std::string& file) {
  TILLSYN_TRY(text, read_file(file, kMaxExportBytes));
  TILLSYN_TRY(log, parse_export(text));
  TILLSYN_TRY(table, format_table(log));
  std::cout << table;
  return {};
}

void add_export(CLI::App& group, Action& chosen) {
  auto* command = group.add_subcommand("export", "Take out a provider's whole log, with its signed checkpoint");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("--relay", options->relay, "https://name:port, one of the root list's")->required();
  command->add_option("--root-list", options->root_list)->required();
  command->add_option("--fleet-root", options->fleet_root)->required();
  command->add_option("--bundle-key", options->bundle_key)->required();
  command->add_option("--provider", options->provider)->required();
  command->add_option("--out", options->out, "a line for each entry, the checkpoint last")->required();
  command->callback([&chosen, options] { chosen = [options] { return export_log(*options); }; });
}

void add_verify(CLI::App& group, Action& chosen) {
  auto* command = group.add_subcommand("verify", "Verify an export, offline");
  const auto options = std::make_shared<VerifyOptions>();
  command->add_option("--fleet-root", options->fleet_root)->required();
  command->add_option("--root-list", options->root_list)->required();
  command->add_option("--provider", options->provider)->required();
  command->add_option("--earlier", options->earlier,
                      "an export, checkpoint or bundle from before: tells what has changed since");
  command->add_option("export", options->file)->required();
  command->callback([&chosen, options] { chosen = [options] { return verify(*options); }; });
}

void add_show(CLI::App& group, Action& chosen) {
  auto* command = group.add_subcommand("show", "Print an export as a table; verifies nothing");
  const auto file = std::make_shared<std::string>();
  command->add_option("export", *file)->required();
  command->callback([&chosen, file] { chosen = [file] { return show(*file); }; });
}

}  // namespace

void add_ledger(CLI::App& app, Action& chosen) {
  auto* group = app.add_subcommand("ledger", "A provider's log");
  group->require_subcommand(1);
  add_export(*group, chosen);
  add_verify(*group, chosen);
  add_show(*group, chosen);
}

}  // namespace tillsyn::admin
