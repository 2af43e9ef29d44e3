#include "relay/api/services.h"

#include <spdlog/spdlog.h>

#include <set>

#include "relay/store/key_file.h"

namespace tillsyn::api {
namespace {

constexpr std::chrono::minutes kClockSlack{5};

}  // namespace

Result<std::unique_ptr<Services>> Services::open(const std::filesystem::path& store_folder, orders::FleetRoot root,
                                                 std::function<Instant()> now) {
  TILLSYN_TRY(client_key, store::client_key(store_folder));  // before there is a database: see key_file.h
  TILLSYN_TRY(store, store::Store::open(store_folder));
  std::unique_ptr<Services> services(new Services(std::move(store), std::move(now)));
  TILLSYN_TRY(trust, care::TrustStore::open(services->store_->shared(), std::move(root)));
  services->trust_ = std::move(trust);
  services->token_endpoint_ = std::make_unique<identity::TokenEndpoint>(std::move(client_key));
  TILLSYN_TRY(enrolment, care::Enrolment::open(services->store_->shared()));
  services->enrolment_ = std::move(enrolment);
  services->open_providers();
  return services;
}

void Services::open_providers() {
  const auto& list = trust_->root_list();
  if (!list) return;
  token_endpoint_->use(list);
  for (const auto& listed : list->providers) {
    if (providers_.contains(listed.id)) continue;
    auto provider = care::Provider::open(*store_, listed, now());
    if (provider) {
      providers_.emplace(listed.id, std::move(*provider));
      unserved_.erase(listed.id);
    } else {
      spdlog::error("event=provider_not_served provider={} why=\"{}\"", listed.id, provider.error().message);
      unserved_[listed.id] = provider.error().message;
    }
  }
}

Result<bool> Services::take_root_list(const std::string& envelope) {
  TILLSYN_TRY(is_newer, trust_->take_root_list(envelope, now()));
  if (!is_newer) return false;
  open_providers();
  enter_root_list();
  listener_.trust_changed();
  return true;
}

// Who may give rights, and everything that all else stands on, is changed by it: each provider's log says when. It is
// signed, and its version names it; that it could not be entered in one log does not undo it.
void Services::enter_root_list() {
  const std::string version = std::to_string(trust_->root_list()->version);
  for (auto& [id, provider] : providers_) {
    const auto entered = provider->ledger->append_seen({.what = "root_list_taken", .reason = version}, now());
    if (!entered) spdlog::error("event=root_list_not_entered provider={} reason={}", id, entered.error().reason);
  }
}

Result<bool> Services::take_bundle(const std::string& envelope) {
  TILLSYN_TRY(is_newer, trust_->take_bundle(envelope, now()));
  if (!is_newer) return false;
  // What waited for a key or for a newer bundle may be judged now.
  for (auto& [id, provider] : providers_) provider->waiting_at.clear();
  listener_.trust_changed();
  return true;
}

Result<care::Provider*> Services::provider(const std::string& id) {
  const auto& list = trust_->root_list();
  const auto held = providers_.find(id);
  if (list && list->provider(id) && held != providers_.end()) return held->second.get();
  return Error{Code::kNotFound, "unknown_provider", "This relay does not serve a provider of that name."};
}

std::string Services::provider_of_token(const std::string& token) const {
  return sessions_.provider_of(token).value_or("");
}

std::string Services::provider_of_link(ByteView link_key) const {
  return enrolment_->provider_of_link(link_key).value_or("");
}

Health Services::health() {
  Health out;
  out.is_sound = store_->shared().is_sound();
  if (const auto& list = trust_->root_list()) out.root_list_expires = list->expires_at;
  if (const auto& bundle = trust_->bundle()) out.bundle_expires = bundle->expires_at;
  for (const auto& [id, provider] : providers_) {
    const auto size = provider->ledger->size();
    const auto newest = provider->ledger->newest();
    out.providers[id] = {true, provider->database.is_sound(), size ? *size : 0, newest ? *newest : Instant()};
    out.is_sound = out.is_sound && provider->database.is_sound();
  }
  for (const auto& [id, why] : unserved_) out.providers[id] = {false, true, 0, {}};
  out.trouble = trouble(out);
  return out;
}

// What keeps the relay from doing its work, for the one who watches it; the worst first.
std::string Services::trouble(const Health& health) const {
  if (!health.is_sound)
    return "The disk failed or is full: make room or replace it, then restart the relay. Nothing is taken in until "
           "then.";
  if (const std::string wrong = trouble_of_clock(health); !wrong.empty()) return wrong;
  if (!health.root_list_expires) return "No root list yet: hand it in with tillsyn-admin trust publish.";
  if (!health.bundle_expires) return "No bundle yet: hand it in with tillsyn-admin trust publish.";
  if (*health.root_list_expires <= now())
    return "The root list has run out: make and publish a new one. If it has not, this machine's clock is wrong.";
  if (*health.bundle_expires <= now())
    return "The bundle has run out: see why the trust machine publishes none. If it does, this machine's clock is "
           "wrong.";
  for (const auto& [id, why] : unserved_) return "Provider " + id + " is not served: " + why;
  return {};
}

// Nothing is alarmed in time, and nobody has rights, by a clock that lies behind.
std::string Services::trouble_of_clock(const Health& health) const {
  for (const auto& [id, provider] : health.providers) {
    if (provider.newest <= now() + kClockSlack) continue;
    return "This machine's clock says " + format_instant(now()) + ", but provider " + id + "'s log ends at " +
           format_instant(provider.newest) +
           ": set the clock. If it is right now, it was wrong then: until that time has come entries keep it.";
  }
  return {};
}

alarms::Watch& Services::watch(care::Provider& provider) {
  return watches_.try_emplace(provider.id, provider).first->second;
}

void Services::evaluate(std::map<std::string, alarms::Hearing> heard_of) {
  for (auto& [id, provider] : providers_) {
    alarms::Watch& watch = this->watch(*provider);
    watch.hear(std::move(heard_of[id]));
    const auto changed = watch.evaluate(now());
    if (!changed) spdlog::critical("event=not_evaluated provider={} reason={}", id, changed.error().reason);
    if (changed && *changed) listener_.lists_changed(id);
  }
}

void Services::hear_of_copies(const std::map<std::string, alarms::CopyHeard>& copies) {
  for (auto& [id, provider] : providers_) {
    const auto heard = copies.find(id);
    watch(*provider).hear_of_copy(heard == copies.end() ? alarms::CopyHeard{alarms::CopyHeard::State::kWell, {}, {}}
                                                        : heard->second);
  }
}

std::vector<std::pair<std::string, webhooks::Delivery>> Services::due_webhooks() {
  std::vector<std::pair<std::string, webhooks::Delivery>> out;
  for (auto& [id, provider] : providers_) {
    auto due = webhooks::due(*provider, now());
    if (!due) {
      spdlog::error("event=webhooks_not_read provider={} reason={}", id, due.error().reason);
      continue;
    }
    for (auto& one : *due) out.emplace_back(id, std::move(one));
  }
  return out;
}

void Services::webhook_tried(const std::string& provider, const std::string& id, const std::optional<long>& status) {
  const auto held = providers_.find(provider);
  if (held == providers_.end()) return;
  const auto done = webhooks::tried(*held->second, id, status, now());
  if (!done) spdlog::error("event=webhook_not_recorded provider={} reason={}", provider, done.error().reason);
}

std::map<std::string, ledger::VerifierKey> Services::logs() const {
  std::map<std::string, ledger::VerifierKey> out;
  for (const auto& [id, provider] : providers_) out.emplace(id, provider->ledger->verifier_key());
  return out;
}

Result<Services::LogPart> Services::log_after(const std::string& id, const ledger::Checkpoint& held, std::uint64_t from,
                                              std::uint64_t count) {
  TILLSYN_TRY(provider, this->provider(id));
  auto& log = *provider->ledger;
  TILLSYN_TRY(size, log.size());
  const Error disagrees{Code::kRefused, "copy_disagrees", "the log does not begin with the copy's entries"};
  if (held.size > size) return disagrees;
  TILLSYN_TRY(then, log.checkpoint_at(held.size));
  if (then.root != held.root) return disagrees;
  if (from == size) return LogPart{};
  TILLSYN_TRY(entries, log.entries(from, count));
  TILLSYN_TRY(note, log.checkpoint_note_at(from + entries.size()));
  return LogPart{std::move(entries), std::move(note)};
}

std::vector<std::string> Services::app_origins() const {
  std::set<std::string> origins;
  if (const auto& list = trust_->root_list()) {
    for (const auto& provider : list->providers)
      origins.insert(provider.app_origins.begin(), provider.app_origins.end());
  }
  return {origins.begin(), origins.end()};
}

}  // namespace tillsyn::api
