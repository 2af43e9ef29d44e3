#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/crypto/ed25519.h"
#include "common/orders/bundle.h"
#include "common/orders/root_list.h"
#include "relay/admin/relay.h"
#include "relay/admin/report.h"

namespace tillsyn::admin {

// Where each provider's log stood when it last replayed, and when that was, which bundles do not tell; kept beside the
// bundle on the machine that makes it: {"format":1,"replayed":[{"provider","time","checkpoint":note}]}.
struct LastReplay {
  Instant time;
  std::string checkpoint;
};
using LastReplays = std::map<std::string, LastReplay>;  // by provider
Result<LastReplays> parse_last_replays(std::string_view json);
std::string format_last_replays(const LastReplays& replays);

// Who and what is to be trusted no more, besides those of the bundle before. They stay from bundle to bundle.
struct Revocations {
  std::vector<orders::Person> persons;  // from the new bundle's time on
  std::vector<orders::RevokedKey> keys;
  std::vector<std::string> hubs;
};

// Where a bundle's contents come from.
struct TrustSources {
  // What is at an issuer's jwks_uri; a failure keeps the last good keys.
  std::function<Result<std::string>(const orders::Issuer&)> jwks;
  // A session about one provider; a failure keeps its last good state.
  std::function<Result<std::unique_ptr<Relay>>(const orders::Provider&)> relay;
  Revocations revoked = {};
  std::vector<std::string> new_epochs = {};  // providers whose log has begun anew: what was seen of it binds no more
};

// The homes that were counted, as files for the staff app's origin: name -> text. A provider that keeps its last good
// state keeps the file it had.
using HomesFiles = std::map<std::string, std::string>;

// The bundle that follows on `previous` (nullptr: there was none) at `now`, under `list`. Each issuer and provider
// stands for itself: what cannot be refreshed keeps its last good entry, with an alarm, and delays no other. A
// checkpoint is kept for at most 7 days after its log last replayed; then the provider has none, and its hubs close. A
// log counts as replayed only if it continues where `replays` (or else the previous bundle) saw it.
//
// Refused "clock" if `previous` is from the future, "root_list_expired", and "unknown_issuer" or "wrong_provider" if
// a revocation or a new epoch names one that the list does not.
Result<orders::Bundle> next_bundle(const orders::RootList& list, const orders::Bundle* previous,
                                   const TrustSources& sources, LastReplays& replays, Instant now, HomesFiles& homes,
                                   Report& report);

// The bundle in its signed envelope. Refused if `key` is none of the list's bundle keys, or the bundle has grown past
// its limits.
Result<std::string> seal_bundle(const orders::Bundle& bundle, const orders::RootList& list,
                                const crypto::Ed25519PrivateKey& key);

}  // namespace tillsyn::admin
