#include "relay/admin/trust.h"

#include <algorithm>

#include "common/base/json.h"
#include "relay/admin/issuer_keys.h"
#include "relay/admin/order_counts.h"

namespace tillsyn::admin {
namespace {

using orders::Bundle;
using orders::ProviderState;

constexpr std::chrono::days kKeptCheckpoint{7};
constexpr std::chrono::minutes kClockError{2};
constexpr std::size_t kMaxReplaysBytes = 1024 * 1024;
constexpr std::size_t kMaxProviders = 64;

const orders::IssuerKeys* keys_in(const Bundle* bundle, const std::string& issuer) {
  if (bundle == nullptr) return nullptr;
  const auto found = std::find_if(bundle->issuers.begin(), bundle->issuers.end(),
                                  [&](const auto& keys) { return keys.issuer == issuer; });
  return found == bundle->issuers.end() ? nullptr : &*found;
}

class BundleMaker {
 public:
  BundleMaker(const orders::RootList& list, const Bundle* previous, const TrustSources& sources, LastReplays& replays,
              Instant now, HomesFiles& homes, Report& report)
      : list_(list),
        previous_(previous),
        sources_(sources),
        replays_(replays),
        now_(now),
        homes_(homes),
        report_(report) {}

  Bundle make() {
    out_.version = {list_.version, previous_ == nullptr ? 1 : previous_->version.counter + 1};
    out_.issued_at = now_;
    out_.expires_at = now_ + orders::kMaxBundleLife;
    if (previous_ != nullptr) carry_revocations();
    add_revocations(sources_.revoked);
    for (const auto& issuer : list_.issuers) out_.issuers.push_back(issuer_keys(issuer));
    for (const auto& provider : list_.providers) out_.providers.push_back(provider_state(provider));
    return std::move(out_);
  }

 private:
  void carry_revocations() {
    out_.revoked_persons = previous_->revoked_persons;
    out_.revoked_keys = previous_->revoked_keys;
    out_.revoked_hubs = previous_->revoked_hubs;
  }

  void add_revocations(const Revocations& revoked) {
    for (const auto& person : revoked.persons)
      if (!out_.is_person_revoked(person, now_)) out_.revoked_persons.push_back({person, now_});
    for (const auto& key : revoked.keys)
      if (!out_.is_key_revoked(key.issuer, key.kid)) out_.revoked_keys.push_back(key);
    for (const auto& hub : revoked.hubs)
      if (!out_.is_hub_revoked(hub)) out_.revoked_hubs.push_back(hub);
  }

  orders::IssuerKeys issuer_keys(const orders::Issuer& issuer) {
    const auto* held = keys_in(previous_, issuer.issuer);
    const auto keys = fetch_keys(issuer);
    if (keys) return {issuer.issuer, next_keys(issuer, *keys, held, out_.revoked_keys, now_, report_)};
    const std::string consequence =
        held == nullptr ? "nobody can sign under it until it answers" : "its last good keys are kept";
    report_.alarms.push_back(keys.error().message + "; " + consequence);
    return held == nullptr ? orders::IssuerKeys{issuer.issuer, {}} : *held;
  }

  Result<std::vector<Json>> fetch_keys(const orders::Issuer& issuer) {
    TILLSYN_TRY(text, sources_.jwks(issuer));
    return read_jwks(text, issuer.issuer, report_);
  }

  ProviderState provider_state(const orders::Provider& provider) {
    ProviderState state;
    state.id = provider.id;
    const ProviderState* held = previous_ == nullptr ? nullptr : previous_->provider(provider.id);
    if (held != nullptr)
      state = *held;
    else
      tell_homes({}, state);
    if (begins_anew(provider)) ++state.epoch;
    if (const auto refreshed = refresh(provider, state); !refreshed) keep(provider, state, refreshed.error());
    return state;
  }

  bool begins_anew(const orders::Provider& provider) const {
    return std::ranges::find(sources_.new_epochs, provider.id) != sources_.new_epochs.end();
  }

  Result<void> refresh(const orders::Provider& provider, ProviderState& state) {
    TILLSYN_TRY(relay, sources_.relay(provider));
    TILLSYN_TRY(log, replay_log(*relay, provider));
    if (begins_anew(provider)) {
      report_.notes.push_back(provider.id + ": its log begins anew, epoch " + std::to_string(state.epoch));
    } else {
      if (const auto note = newest_seen(state)) TILLSYN_CHECK(check_past(provider, *note, log.replay));
      look_at_dates(provider.id, log.replay);
    }
    TILLSYN_TRY(handed, relay->orders());
    state.checkpoint = log.note;
    replays_[provider.id] = {now_, log.note};
    tell_homes(homes_of(judge_orders(handed, log.replay, provider, list_, out_, report_), out_), state);
    return {};
  }

  void tell_homes(const std::vector<orders::HomeLeaf>& homes, ProviderState& state) {
    count_homes(homes, state);
    homes_[homes_file_name(state.homes_root)] = homes_file_text(homes);
  }

  // What has come since the last replay cannot have happened before it. A relay whose clock is wrong looks the same, so
  // this is said and closes nothing.
  void look_at_dates(const std::string& provider, const Replay& replay) {
    const auto seen = replays_.find(provider);
    const auto known = seen == replays_.end() ? std::nullopt : size_in(seen->second.checkpoint);
    if (known && *known < replay.size() && replay.time_of(*known) < seen->second.time - kClockError)
      report_.alarms.push_back(provider + ": entry " + std::to_string(*known) + " was not there at " +
                               format_instant(seen->second.time) + " and is dated " +
                               format_instant(replay.time_of(*known)) + ": back-dated, or the relay's clock is slow");
    if (replay.size() > 0 && replay.time_of(replay.size() - 1) > now_ + kClockError)
      report_.alarms.push_back(provider + ": its newest entry is dated " +
                               format_instant(replay.time_of(replay.size() - 1)) +
                               ", after now: the relay's clock is fast, or this machine's slow");
  }

  // Of a note that has been verified when it was kept.
  static std::optional<std::uint64_t> size_in(const std::string& note) {
    const auto read = ledger::parse_note(note);
    const auto checkpoint = read ? ledger::parse_checkpoint(read->text) : Result<ledger::Checkpoint>(read.error());
    return checkpoint ? std::optional(checkpoint->size) : std::nullopt;
  }

  std::optional<std::string> newest_seen(const ProviderState& state) const {
    const auto seen = replays_.find(state.id);
    return seen == replays_.end() ? state.checkpoint : std::optional(seen->second.checkpoint);
  }

  // A checkpoint under a key that the root list has since replaced binds the new log to nothing.
  Result<void> check_past(const orders::Provider& provider, const std::string& note, const Replay& replay) {
    const auto earlier = ledger::open_checkpoint(note, provider.ledger_key);
    if (earlier) return check_continues(replay, *earlier);
    report_.alarms.push_back(provider.id + ": the root list names another ledger key than before; the log begins anew");
    return {};
  }

  void keep(const orders::Provider& provider, ProviderState& state, const Error& why) {
    const std::string cause =
        provider.id + ": " + (why.reason == "log" ? "the log does not replay: " : "") + why.message;
    if (!state.checkpoint) return report_.alarms.push_back(cause + "; the bundle has no checkpoint of it");
    const auto seen = replays_.find(provider.id);
    const Instant good_at = seen == replays_.end() ? previous_->issued_at : seen->second.time;
    if (now_ < good_at + kKeptCheckpoint)
      return report_.alarms.push_back(cause + "; the checkpoint of " + format_instant(good_at) + " is kept until " +
                                      format_instant(good_at + kKeptCheckpoint));
    state.checkpoint.reset();
    report_.alarms.push_back(cause + "; its last good checkpoint, of " + format_instant(good_at) +
                             ", is more than 7 days old and is not kept: hubs close");
  }

  const orders::RootList& list_;
  const Bundle* previous_;
  const TrustSources& sources_;
  LastReplays& replays_;
  Instant now_;
  HomesFiles& homes_;
  Report& report_;
  Bundle out_;
};

Result<void> check_issuers(const Revocations& revoked, const orders::RootList& list) {
  std::vector<std::string> named;
  for (const auto& person : revoked.persons) named.push_back(person.issuer);
  for (const auto& key : revoked.keys) named.push_back(key.issuer);
  for (const auto& issuer : named)
    if (list.issuer(issuer) == nullptr)
      return refused("unknown_issuer",
                     "the root list does not name " + issuer + ": write the issuer as it stands there");
  return {};
}

}  // namespace

Result<LastReplays> parse_last_replays(std::string_view json) {
  TILLSYN_TRY(value, parse_json(json, {kMaxReplaysBytes, 8}));
  JsonReader in(value, "replays");
  in.integer("format", 1, 1);
  const Json& items = in.array("replayed", kMaxProviders);
  TILLSYN_CHECK(in.finish());
  LastReplays out;
  for (const Json& item : items) {
    JsonReader inner(item, "replayed[]");
    const std::string provider = inner.text("provider", 32);
    const std::string time = inner.text("time", 20);
    std::string checkpoint = inner.text("checkpoint", ledger::kMaxNoteBytes);
    TILLSYN_CHECK(inner.finish());
    TILLSYN_TRY(instant, parse_instant(time));
    out[provider] = {instant, std::move(checkpoint)};
  }
  return out;
}

std::string format_last_replays(const LastReplays& replays) {
  Json replayed = Json::array();
  for (const auto& [provider, last] : replays)
    replayed.push_back({{"provider", provider}, {"time", format_instant(last.time)}, {"checkpoint", last.checkpoint}});
  return canonical_json({{"format", 1}, {"replayed", std::move(replayed)}});
}

Result<Bundle> next_bundle(const orders::RootList& list, const Bundle* previous, const TrustSources& sources,
                           LastReplays& replays, Instant now, HomesFiles& homes, Report& report) {
  TILLSYN_CHECK(orders::check_current(list, now));
  TILLSYN_CHECK(check_issuers(sources.revoked, list));
  for (const auto& id : sources.new_epochs)
    if (list.provider(id) == nullptr)
      return refused("wrong_provider", "the root list does not name the provider " + id);
  const Instant second = std::chrono::floor<std::chrono::seconds>(now);
  if (previous != nullptr && previous->issued_at > second)
    return refused("clock", "the previous bundle was made at " + format_instant(previous->issued_at) +
                                ", which is after now (" + format_instant(second) +
                                "): set this machine's clock right");
  return BundleMaker(list, previous, sources, replays, second, homes, report).make();
}

Result<std::string> seal_bundle(const Bundle& bundle, const orders::RootList& list,
                                const crypto::Ed25519PrivateKey& key) {
  if (std::find(list.bundle_keys.begin(), list.bundle_keys.end(), key.public_key()) == list.bundle_keys.end())
    return refused(
        "bundle_key",
        "the root list does not name this bundle key: use the one it names, or make a root list that names it");
  orders::TrustEnvelope envelope{orders::format_bundle(bundle), {}};
  orders::add_signature(envelope, orders::TrustKind::kBundle, key);
  std::string out = orders::format_trust_envelope(envelope);
  if (const auto read = orders::open_bundle(out, list); !read)
    return read.error().within("the bundle could not be made");
  return out;
}

}  // namespace tillsyn::admin
