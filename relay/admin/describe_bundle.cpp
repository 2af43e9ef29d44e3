#include "relay/admin/describe_bundle.h"

#include "common/ledger/checkpoint.h"

namespace tillsyn::admin {
namespace {

constexpr std::chrono::hours kOld{1};

std::string describe_key(const orders::Bundle& bundle, const std::string& issuer, const orders::IssuerKey& key,
                         Instant now) {
  std::string out = "    key " + key.kid;
  if (bundle.is_key_revoked(issuer, key.kid)) return out + ": REVOKED\n";
  if (key.not_after) return out + ": counted until " + format_instant(*key.not_after) + "\n";
  return out + (now < key.not_before ? ": NEW, counts from " : ": counts since ") + format_instant(key.not_before) +
         "\n";
}

std::string describe_log(const orders::ProviderState& state, const orders::Provider* provider) {
  if (!state.checkpoint) return "    NO CHECKPOINT: its hubs open nothing\n";
  if (provider == nullptr) return "    no longer in the root list\n";
  const auto checkpoint = ledger::open_checkpoint(*state.checkpoint, provider->ledger_key);
  if (!checkpoint) return "    A CHECKPOINT THAT ITS LOG HAS NOT SIGNED\n";
  return "    log of " + std::to_string(checkpoint->size) + " entries, root " + to_base64url(checkpoint->root) + "\n";
}

std::string describe_state(const orders::ProviderState& state, const orders::Provider* provider) {
  std::string out = "  provider " + state.id + "\n" + describe_log(state, provider);
  for (const auto& group : state.hubs)
    out += "    " + std::to_string(group.count) + " hubs in group " + group.group + "\n";
  return out;
}

}  // namespace

std::string describe(const orders::Bundle& bundle, const orders::RootList& list, Instant now) {
  std::string out = "Bundle " + std::to_string(bundle.version.root_list_version) + "." +
                    std::to_string(bundle.version.counter) + ", made " + format_instant(bundle.issued_at) +
                    ", good until " + format_instant(bundle.expires_at) + "\n";
  if (now >= bundle.issued_at + kOld) out += "  OLDER THAN AN HOUR: is the timer that makes bundles running?\n";
  for (const auto& issuer : bundle.issuers) {
    out += "  issuer " + issuer.issuer + (issuer.keys.empty() ? ": NO KEYS, nobody can sign under it\n" : "\n");
    for (const auto& key : issuer.keys) out += describe_key(bundle, issuer.issuer, key, now);
  }
  for (const auto& state : bundle.providers) out += describe_state(state, list.provider(state.id));
  for (const auto& revoked : bundle.revoked_persons)
    out += "  revoked person " + revoked.person.value + " at " + revoked.person.issuer + " from " +
           format_instant(revoked.from) + "\n";
  for (const auto& hub : bundle.revoked_hubs) out += "  revoked hub " + hub + "\n";
  return out;
}

}  // namespace tillsyn::admin
