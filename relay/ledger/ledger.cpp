#include "relay/ledger/ledger.h"

#include <algorithm>

#include "common/crypto/hash.h"
#include "common/crypto/random.h"

namespace tillsyn::relay_ledger {
namespace {

Error broken_log(const std::string& message) { return {Code::kIo, "store_fault", "ledger: " + message}; }

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// The hashes of complete subtrees, as the table `nodes` holds them.
class StoredNodes : public ledger::HashSource {
 public:
  explicit StoredNodes(store::Database& database) : database_(database) {}

  Result<Hash> node(unsigned level, std::uint64_t index) const override {
    TILLSYN_TRY(found, database_.select_one<std::string>("select hash from nodes where level = :l and position = :p",
                                                         {std::int64_t{level}, signed_of(index)}));
    if (!found) return broken_log("a node is missing");
    return from_base64url_exact<32>(std::get<0>(*found));
  }

 private:
  store::Database& database_;
};

}  // namespace

struct Ledger::State {
  store::Database& database;
  std::string provider;
  std::string origin;
  crypto::Ed25519PrivateKey key;
  StoredNodes nodes{database};
  ledger::Frontier frontier{};  // of the entries as this object last saw them
  Instant newest{};             // the time of the last of them
};

Ledger::Ledger(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(store::Database& database, std::string provider, std::string origin,
                                             crypto::Ed25519PrivateKey key, Instant now) {
  std::unique_ptr<Ledger> log(
      new Ledger(std::unique_ptr<State>(new State{database, std::move(provider), std::move(origin), std::move(key)})));
  TILLSYN_TRY(size, log->size());
  if (size == 0) TILLSYN_CHECK(log->append_seen({.what = "log_opened"}, now));
  return log;
}

Result<std::uint64_t> Ledger::size() {
  TILLSYN_TRY(found, state_->database.select_one<std::int64_t>("select coalesce(max(seq) + 1, 0) from entries"));
  return static_cast<std::uint64_t>(std::get<0>(*found));
}

// The stored log decides: a transaction that was rolled back has taken entries away again.
Result<void> Ledger::load() {
  TILLSYN_TRY(stored, size());
  if (state_->frontier.size() == stored) return {};
  TILLSYN_TRY(frontier, ledger::Frontier::load(state_->nodes, stored));
  TILLSYN_TRY(newest, time_of_newest(stored));
  state_->frontier = std::move(frontier);
  state_->newest = newest;
  return {};
}

Result<Instant> Ledger::newest() {
  TILLSYN_CHECK(load());
  return state_->newest;
}

Result<Instant> Ledger::time_of_newest(std::uint64_t size) {
  if (size == 0) return Instant();
  TILLSYN_TRY(texts, entries(size - 1, 1));
  if (texts.empty()) return broken_log("the newest entry is missing");
  TILLSYN_TRY(entry, ledger::parse_entry(texts.front()));
  return entry.time;
}

Result<Entry> Ledger::append(Entry entry, Instant now) {
  const auto done = state_->database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(load());
    entry.seq = state_->frontier.size();
    entry.provider = state_->provider;
    entry.time = std::max<Instant>(std::chrono::floor<std::chrono::seconds>(now), state_->newest);
    return keep(entry);
  });
  if (done) {
    state_->newest = entry.time;
    return entry;
  }
  state_->frontier = ledger::Frontier();
  state_->newest = {};
  return done.error();
}

Result<void> Ledger::keep(const Entry& entry) {
  const std::string text = ledger::format_entry(entry);
  if (text.size() > ledger::kMaxEntryBytes) return malformed("malformed", "the log entry would be too long");
  // What the relay saw of an order (that it was refused, that a view failed) is not the order's own entry.
  const bool is_named = entry.hash && entry.kind != ledger::EntryKind::kRelay;
  const auto hash = is_named ? store::Value(to_base64url(*entry.hash)) : store::Value(nullptr);
  TILLSYN_CHECK(state_->database.run("insert into entries (seq, hash, text) values (:seq, :hash, :text)",
                                     {signed_of(entry.seq), hash, text}));
  for (const auto& node : state_->frontier.append(ledger::leaf_hash(view_of(text)))) {
    TILLSYN_CHECK(state_->database.run("insert into nodes (level, position, hash) values (:l, :p, :h)",
                                       {std::int64_t{node.level}, signed_of(node.index), to_base64url(node.hash)}));
  }
  return {};
}

Result<Entry> Ledger::append_seen(const Seen& seen, Instant now) {
  Entry entry;
  entry.kind = ledger::EntryKind::kRelay;
  entry.what = seen.what;
  entry.hub = seen.hub;
  entry.resident = seen.resident;
  entry.who = seen.who;
  entry.hash = seen.hash;
  entry.reason = seen.reason;
  if (seen.details.is_null()) return append(std::move(entry), now);

  const auto salt = crypto::random_array<32>();
  const std::string details = canonical_json(seen.details);
  entry.details = crypto::Sha256().update(salt).update(view_of(details)).finish();
  const auto done = state_->database.transaction([&]() -> Result<void> {
    TILLSYN_TRY(kept, append(entry, now));
    entry = kept;
    TILLSYN_CHECK(state_->database.run("insert into entry_details (seq, salt, details) values (:seq, :salt, :details)",
                                       {signed_of(entry.seq), to_base64url(salt), details}));
    return {};
  });
  if (!done) return done.error();
  return entry;
}

Result<ledger::Checkpoint> Ledger::checkpoint() {
  TILLSYN_CHECK(load());
  return ledger::Checkpoint{state_->origin, state_->frontier.size(), state_->frontier.root()};
}

Result<std::string> Ledger::checkpoint_note() {
  TILLSYN_TRY(newest, checkpoint());
  return ledger::sign_checkpoint(newest, state_->key);
}

Result<ledger::Checkpoint> Ledger::checkpoint_at(std::uint64_t size) {
  TILLSYN_CHECK(load());
  if (size > state_->frontier.size()) return refused("proof_range", "the log is not that long");
  if (size == state_->frontier.size()) return checkpoint();
  TILLSYN_TRY(root, ledger::root_at(state_->nodes, size));
  return ledger::Checkpoint{state_->origin, size, root};
}

Result<std::string> Ledger::checkpoint_note_at(std::uint64_t size) {
  TILLSYN_TRY(then, checkpoint_at(size));
  return ledger::sign_checkpoint(then, state_->key);
}

ledger::VerifierKey Ledger::verifier_key() const { return {state_->origin, state_->key.public_key()}; }

Result<Proof> Ledger::inclusion(std::uint64_t seq, std::uint64_t size) {
  TILLSYN_CHECK(load());
  if (size > state_->frontier.size()) return refused("proof_range", "the log is not that long");
  return ledger::inclusion_proof(state_->nodes, seq, size);
}

Result<Proof> Ledger::consistency(std::uint64_t from, std::uint64_t to) {
  TILLSYN_CHECK(load());
  if (to > state_->frontier.size() || from > to) return refused("proof_range", "the log is not that long");
  if (from == 0) return Proof();
  return ledger::consistency_proof(state_->nodes, from, to);
}

Result<std::vector<std::string>> Ledger::entries(std::uint64_t from, std::uint64_t count) {
  TILLSYN_TRY(rows, state_->database.select<std::string>(
                        "select text from entries where seq >= :from order by seq limit :count",
                        {signed_of(from), signed_of(count)}));
  std::vector<std::string> out;
  out.reserve(rows.size());
  for (auto& row : rows) out.push_back(std::move(std::get<0>(row)));
  return out;
}

Result<Entry> Ledger::find(const Hash& hash) {
  TILLSYN_TRY(found, state_->database.select<std::string>(
                         "select text from entries where hash = :hash order by seq limit 1", {to_base64url(hash)}));
  if (found.empty()) return Error{Code::kNotFound, "no_ledger_entry", "the log holds nothing with this hash"};
  return ledger::parse_entry(std::get<0>(found.front()));
}

Entry entry_for_document(ledger::EntryKind kind, std::string what, const std::string& hub, const Hash& hash) {
  Entry entry;
  entry.kind = kind;
  entry.what = std::move(what);
  entry.hub = hub;
  entry.hash = hash;
  return entry;
}

Json proof_json(const Proof& proof) {
  Json out = Json::array();
  for (const Hash& hash : proof) out.push_back(to_base64url(hash));
  return out;
}

}  // namespace tillsyn::relay_ledger
