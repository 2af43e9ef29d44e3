#include "relay/ledger/ledger.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "common/crypto/hash.h"
#include "relay/store/schema.h"

namespace tillsyn::relay_ledger {
namespace {

const Instant kNow = *parse_instant("2026-11-22T20:15:00Z");

struct Log {
  Log() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tillsyn-ledger-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    reopen();
  }
  ~Log() { std::filesystem::remove_all(folder); }

  void reopen() {
    ledger.reset();
    database.reset();
    auto opened = store::Database::open(folder / "nord.db", store::provider_schema());
    REQUIRE(opened.ok());
    database = std::move(*opened);
    auto key = crypto::Ed25519PrivateKey::from_seed(Bytes(32, 7));
    auto log = Ledger::open(*database, "nord", "example.se/nord", std::move(*key), kNow);
    REQUIRE(log.ok());
    ledger = std::move(*log);
  }

  Entry add(const std::string& what, Instant at = kNow) {
    auto entry = ledger->append_seen({.what = what}, at);
    REQUIRE(entry.ok());
    return *entry;
  }

  std::filesystem::path folder;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<Ledger> ledger;
};

TEST_CASE("a new log opens with an entry that says so, and only once", "[relay_ledger][AUD-1]") {
  Log log;
  log.reopen();
  CHECK(*log.ledger->size() == 1);
  const auto first = ledger::parse_entry(log.ledger->entries(0, 1)->front());
  REQUIRE(first.ok());
  CHECK(first->what == "log_opened");
  CHECK(first->provider == "nord");
}

TEST_CASE("what is acknowledged survives a restart with the same root", "[relay_ledger][AUD-1]") {
  Log log;
  for (int i = 0; i < 21; ++i) log.add("login");
  const auto before = *log.ledger->checkpoint();
  log.reopen();
  CHECK(*log.ledger->checkpoint() == before);
  log.add("logout");
  CHECK(log.ledger->checkpoint()->size == before.size + 1);
}

TEST_CASE("checkpoints, inclusion and consistency hold at every size", "[relay_ledger][AUD-1]") {
  Log log;
  ledger::MemoryTree tree;
  std::vector<Hash> roots{ledger::empty_root()};
  for (int i = 0; i < 12; ++i) log.add("login");
  const auto texts = log.ledger->entries(0, 100);
  REQUIRE(texts.ok());
  for (const auto& text : *texts) {
    tree.append(ledger::leaf_hash(view_of(text)));
    roots.push_back(tree.root());
  }
  const auto note = log.ledger->checkpoint_note();
  REQUIRE(note.ok());
  const auto newest = ledger::open_checkpoint(*note, log.ledger->verifier_key());
  REQUIRE(newest.ok());
  CHECK(newest->root == roots[newest->size]);
  for (std::uint64_t size = 1; size <= newest->size; ++size) {
    for (std::uint64_t seq = 0; seq < size; ++seq) {
      const auto leaf = ledger::leaf_hash(view_of(log.ledger->entries(seq, 1)->front()));
      CHECK(ledger::verify_inclusion(leaf, seq, size, *log.ledger->inclusion(seq, size), roots[size]).ok());
    }
    const auto proof = log.ledger->consistency(size, newest->size);
    CHECK(ledger::verify_consistency(size, newest->size, *proof, roots[size], newest->root).ok());
  }
}

TEST_CASE("proofs about entries that are not there are refused", "[relay_ledger]") {
  Log log;
  log.add("login");
  CHECK_FALSE(log.ledger->inclusion(0, 3).ok());
  CHECK_FALSE(log.ledger->inclusion(2, 2).ok());
  CHECK_FALSE(log.ledger->consistency(1, 3).ok());
  CHECK_FALSE(log.ledger->consistency(2, 1).ok());
  CHECK(log.ledger->consistency(0, 2)->empty());
  CHECK(log.ledger->find(Hash{}).error().reason == "no_ledger_entry");
}

TEST_CASE("a transaction that fails takes its entry with it, and the next one fills its place",
          "[relay_ledger][AUD-1]") {
  Log log;
  const auto before = *log.ledger->checkpoint();
  const auto done = log.database->transaction([&]() -> Result<void> {
    TILLSYN_CHECK(log.ledger->append_seen({.what = "login"}, kNow));
    return refused("late", "not today");
  });
  CHECK_FALSE(done.ok());
  CHECK(*log.ledger->checkpoint() == before);
  CHECK(log.add("logout").seq == before.size);
  const auto now = *log.ledger->checkpoint();
  CHECK(ledger::verify_consistency(before.size, now.size, *log.ledger->consistency(before.size, now.size), before.root,
                                   now.root)
            .ok());
}

TEST_CASE("a clock that steps back does not turn the log's time back", "[relay_ledger][AUD-1]") {
  Log log;
  log.add("login", kNow + std::chrono::hours(1));
  CHECK(log.add("logout", kNow).time == kNow + std::chrono::hours(1));
}

TEST_CASE("details stand beside the entry, which only commits to them", "[relay_ledger]") {
  Log log;
  const auto entry = log.ledger->append_seen({.what = "enrol_refused", .details = {{"peer", "192.0.2.1"}}}, kNow);
  REQUIRE(entry.ok());
  REQUIRE(entry->details.has_value());
  CHECK(ledger::format_entry(*entry).find("192.0.2.1") == std::string::npos);
  const auto row = log.database->select_one<std::string, std::string>("select salt, details from entry_details");
  REQUIRE(row.ok());
  const auto salt = *from_base64url(std::get<0>(**row));
  CHECK(crypto::Sha256().update(salt).update(view_of(std::get<1>(**row))).finish() == *entry->details);
}

TEST_CASE("an entry is found by the hash of what it is about", "[relay_ledger]") {
  Log log;
  Hash hash{};
  hash[0] = 1;
  const auto kept =
      log.ledger->append(entry_for_document(ledger::EntryKind::kReceipt, "accepted", to_base64url(hash), hash), kNow);
  REQUIRE(kept.ok());
  CHECK(*log.ledger->find(hash) == *kept);
}

TEST_CASE("an order that was refused first is found by its own entry, not by the refusal's", "[relay_ledger]") {
  Log log;
  Hash hash{};
  hash[0] = 1;
  REQUIRE(log.ledger->append_seen({.what = "order_refused", .hash = hash}, kNow).ok());
  CHECK_FALSE(log.ledger->find(hash).ok());
  const auto kept =
      log.ledger->append(entry_for_document(ledger::EntryKind::kOrder, "grant", to_base64url(hash), hash), kNow);
  REQUIRE(kept.ok());
  CHECK(log.ledger->find(hash)->seq == kept->seq);
}

TEST_CASE("a log whose nodes were tampered with is not continued", "[relay_ledger][AUD-1]") {
  Log log;
  log.add("login");
  REQUIRE(log.database->run("delete from nodes where level = 1").ok());
  log.ledger.reset();
  auto key = crypto::Ed25519PrivateKey::from_seed(Bytes(32, 7));
  auto opened = Ledger::open(*log.database, "nord", "example.se/nord", std::move(*key), kNow);
  REQUIRE(opened.ok());
  CHECK((*opened)->append_seen({.what = "login"}, kNow).error().reason == "store_fault");
}

}  // namespace
}  // namespace tillsyn::relay_ledger
