// How long a proof takes from a long log: fills the relay's own table of subtree hashes (the entries' texts, which no
// proof reads, are left out but for the last), then asks the relay's log for inclusion and consistency proofs at random
// places and verifies each. Beside it, one look-up of one hash. Prints one JSON line, microseconds each; fails on a
// wrong proof.
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <random>

#include "relay/ledger/ledger.h"
#include "relay/store/key_file.h"
#include "relay/store/store.h"

using namespace tillsyn;
using Clock = std::chrono::steady_clock;

namespace {

template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(*result);
  std::fprintf(stderr, "bench-proofs: %s\n", result.error().message.c_str());
  std::exit(1);
}

void must(const Result<void>& result) {
  if (result.ok()) return;
  std::fprintf(stderr, "bench-proofs: %s\n", result.error().message.c_str());
  std::exit(1);
}

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench-proofs: %s\n", what);
  std::exit(1);
}

ledger::Entry entry_at(std::uint64_t seq) {
  ledger::Entry entry;
  entry.seq = seq;
  entry.provider = "nord";
  entry.what = "login";
  return entry;
}

std::string leaf_text(std::uint64_t seq, std::uint64_t last) {
  return seq == last ? ledger::format_entry(entry_at(seq)) : "entry " + std::to_string(seq);
}

class Filling {
 public:
  explicit Filling(const std::string& file) {
    must(sqlite3_open(file.c_str(), &database_) == SQLITE_OK, "SQLite does not open");
    for (const char* sql :
         {"pragma synchronous = off", "pragma cache_size = -400000", "delete from entries", "delete from nodes"})
      run(sql);
    must(sqlite3_prepare_v2(database_, "insert into nodes (level, position, hash) values (?, ?, ?)", -1, &insert_,
                            nullptr) == SQLITE_OK,
         "nodes");
  }
  ~Filling() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }

  void fill(std::uint64_t size) {
    ledger::Frontier tree;
    run("begin");
    for (std::uint64_t seq = 0; seq < size; ++seq) {
      const auto text = leaf_text(seq, size - 1);
      for (const auto& node : tree.append(ledger::leaf_hash(view_of(text)))) insert(node);
    }
    run(("insert into entries (seq, hash, text) values (" + std::to_string(size - 1) + ", null, '" +
         leaf_text(size - 1, size - 1) + "')")
            .c_str());
    run("commit");
  }

 private:
  void run(const char* sql) { must(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql); }
  void insert(const ledger::Node& node) {
    const auto hash = to_base64url(node.hash);
    sqlite3_bind_int(insert_, 1, static_cast<int>(node.level));
    sqlite3_bind_int64(insert_, 2, static_cast<sqlite3_int64>(node.index));
    sqlite3_bind_text(insert_, 3, hash.data(), static_cast<int>(hash.size()), SQLITE_TRANSIENT);
    must(sqlite3_step(insert_) == SQLITE_DONE, "a node is not inserted");
    sqlite3_reset(insert_);
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

template <typename Work>
double microseconds_each(int times, Work work) {
  const auto began = Clock::now();
  for (int i = 0; i < times; ++i) work();
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count() / times;
}

void measure(store::Database& database, relay_ledger::Ledger& log, std::uint64_t size, int times) {
  std::mt19937_64 random(1);
  const auto now = must(log.checkpoint());
  must(now.size == size, "the log has another size");
  const double lookup = microseconds_each(times, [&] {
    must(database.select_one<std::string>("select hash from nodes where level = :l and position = :p",
                                          {std::int64_t{0}, static_cast<std::int64_t>(random() % size)}));
  });
  const double inclusion = microseconds_each(times, [&] {
    const auto seq = random() % size;
    const auto proof = must(log.inclusion(seq, size));
    must(ledger::verify_inclusion(ledger::leaf_hash(view_of(leaf_text(seq, size - 1))), seq, size, proof, now.root));
  });
  // The root at the older size comes from what was filled in, and is not part of what is timed.
  double consistency = 0;
  for (int i = 0; i < times; ++i) {
    const auto from = 1 + random() % (size - 1);
    ledger::Proof proof;
    consistency += microseconds_each(1, [&] { proof = must(log.consistency(from, size)); }) / times;
    struct Nodes : ledger::HashSource {
      store::Database& database;
      explicit Nodes(store::Database& of) : database(of) {}
      Result<ledger::Hash> node(unsigned level, std::uint64_t index) const override {
        TILLSYN_TRY(found, database.select_one<std::string>("select hash from nodes where level = :l and position = :p",
                                                            {std::int64_t{level}, static_cast<std::int64_t>(index)}));
        return from_base64url_exact<32>(std::get<0>(*found));
      }
    };
    must(ledger::verify_consistency(from, size, proof, must(ledger::root_at(Nodes(database), from)), now.root));
  }
  std::printf("{\"entries\":%llu,\"proofs\":%d,\"lookup\":%.1f,\"inclusion\":%.1f,\"consistency\":%.1f}\n",
              static_cast<unsigned long long>(size), times, lookup, inclusion, consistency);
}

}  // namespace

int main(int argc, char** argv) {
  std::string dir;
  std::uint64_t entries = 10'000'000;
  int times = 2000;
  CLI::App app("Proofs from a long log");
  app.add_option("--dir", dir, "An empty folder")->required();
  app.add_option("--entries", entries);
  app.add_option("--proofs", times);
  CLI11_PARSE(app, argc, argv);

  const auto folder = dir + "/store";
  auto key = must(store::ledger_key(dir, "nord"));
  const auto on_disk = must(store::Store::open(folder));
  store::Database& database = *must(on_disk->provider("nord"));
  Filling(folder + "/nord.db").fill(entries);
  const auto log = must(relay_ledger::Ledger::open(database, "nord", "localhost/nord", std::move(key), Instant()));
  measure(database, *log, entries, times);
  return 0;
}
