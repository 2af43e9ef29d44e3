#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/instant.h"
#include "common/base/result.h"
#include "common/orders/trust_envelope.h"
#include "relay/alarms/watch.h"
#include "relay/api/log_reads.h"
#include "relay/api/refusals.h"
#include "relay/care/enrolment.h"
#include "relay/care/provider.h"
#include "relay/care/trust_store.h"
#include "relay/identity/sessions.h"
#include "relay/identity/token_endpoint.h"
#include "relay/store/store.h"
#include "relay/webhooks/queue.h"

namespace tillsyn::api {

// Who wants to know that something has changed. Called on the store thread; whoever then asks that thread is answered
// when it is durable.
struct Listener {
  // Orders, countersigns, receipts; `hubs` as care::hubs_concerned.
  using Hubs = std::optional<std::vector<std::string>>;
  std::function<void(const std::string& provider, const Hubs& hubs)> orders_changed = [](const std::string&,
                                                                                         const Hubs&) {};
  // What staff pages show and hubs do not hear of: drafts, names, alarms.
  std::function<void(const std::string& provider)> lists_changed = [](const std::string&) {};
  std::function<void()> trust_changed = [] {};
  std::function<void(const std::string& hub, const std::string& provider)> enrolled = [](const std::string&,
                                                                                         const std::string&) {};
};

// How the relay is, for those who watch it: figures and names of providers, nothing of any person.
struct Health {
  struct Served {
    bool is_served = false;
    bool is_sound = false;
    std::uint64_t entries = 0;  // of its log
    Instant newest;             // when the last of them was made
  };
  std::string trouble;   // a sentence that says what to do; empty: ready
  bool is_sound = true;  // false once a database has failed: nothing more is taken in until a restart
  std::optional<Instant> root_list_expires;
  std::optional<Instant> bundle_expires;
  std::map<std::string, Served> providers;
};

// Everything that stands behind the routes, and what ties it together: providers open as the root list names them.
// Threads: thread-bound (the store thread), but for token_endpoint and the providers of tokens and link keys.
class Services {
 public:
  // Opens the store; `now` is the relay's wall clock.
  static Result<std::unique_ptr<Services>> open(const std::filesystem::path& store_folder, orders::FleetRoot root,
                                                std::function<Instant()> now);

  void listen(Listener listener) { listener_ = std::move(listener); }
  const Listener& listener() const { return listener_; }
  Instant now() const { return now_(); }

  // Takes a trust document; when it is newer, opens the providers it names and tells the listener. As TrustStore's.
  Result<bool> take_root_list(const std::string& envelope);
  Result<bool> take_bundle(const std::string& envelope);

  // kNotFound "unknown_provider", also for one whose ledger key is not this relay's.
  Result<care::Provider*> provider(const std::string& id);

  Health health();
  // The provider's alarms.
  alarms::Watch& watch(care::Provider& provider);
  // Looks at every provider's, by what presence knows now of each, and tells the listener which have changed. Where
  // that fails it is logged, and the others go on.
  void evaluate(std::map<std::string, alarms::Hearing> heard_of);

  // What is known of the logs' copies, for the next evaluation; of those not named it is that all is well.
  void hear_of_copies(const std::map<std::string, alarms::CopyHeard>& copies);

  // What is to be sent to the providers' own systems now, with the provider's id; and what came of it.
  std::vector<std::pair<std::string, webhooks::Delivery>> due_webhooks();
  void webhook_tried(const std::string& provider, const std::string& id, const std::optional<long>& status);

  // The logs that are served, by provider; and the entries of one from `from` on, at most `count`, with the signed
  // checkpoint over them and all before. kRefused "copy_disagrees" when the log does not begin with what is `held`.
  std::map<std::string, ledger::VerifierKey> logs() const;
  struct LogPart {
    std::vector<std::string> entries;
    std::string note;
  };
  Result<LogPart> log_after(const std::string& provider, const ledger::Checkpoint& held, std::uint64_t from,
                            std::uint64_t count);

  // The app origins of all providers; what CORS may allow.
  std::vector<std::string> app_origins() const;

  // Whose staff have this token, whose hub has this link key; empty: nobody's. Thread-safe.
  std::string provider_of_token(const std::string& token) const;
  std::string provider_of_link(ByteView link_key) const;

  store::Store& store() { return *store_; }
  care::TrustStore& trust() { return *trust_; }
  care::Enrolment& enrolment() { return *enrolment_; }
  identity::Sessions& sessions() { return sessions_; }
  identity::TokenEndpoint& token_endpoint() { return *token_endpoint_; }
  LogReads& log_reads(const std::string& provider) { return log_reads_[provider]; }
  Refusals& refused_logins(const std::string& provider) { return refused_logins_[provider]; }
  Refusals& refused_enrolments(const std::string& provider) { return refused_enrolments_[provider]; }

 private:
  Services(std::unique_ptr<store::Store> store, std::function<Instant()> now)
      : store_(std::move(store)), now_(std::move(now)) {}
  void open_providers();
  void enter_root_list();
  std::string trouble(const Health& health) const;
  std::string trouble_of_clock(const Health& health) const;

  std::unique_ptr<store::Store> store_;
  std::function<Instant()> now_;
  Listener listener_;
  std::unique_ptr<care::TrustStore> trust_;
  std::unique_ptr<care::Enrolment> enrolment_;
  std::unique_ptr<identity::TokenEndpoint> token_endpoint_;
  identity::Sessions sessions_;
  std::map<std::string, std::unique_ptr<care::Provider>> providers_;
  std::map<std::string, std::string> unserved_;  // providers of the root list that could not be opened -> why
  std::map<std::string, alarms::Watch> watches_;
  std::map<std::string, Refusals> refused_logins_;
  std::map<std::string, Refusals> refused_enrolments_;
  std::map<std::string, LogReads> log_reads_;
};

}  // namespace tillsyn::api
