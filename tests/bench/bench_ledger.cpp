// What a durable entry of the log costs when many wait at once, beside what disk and SQLite can do: prints one JSON
// line of entries a second. Fails if an acknowledged entry is not in the log afterwards, or the log is not the one
// signed for.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <filesystem>
#include <set>

#include "relay/http/workers.h"
#include "relay/ledger/ledger.h"
#include "relay/store/key_file.h"
#include "relay/store/store.h"

using namespace tillsyn;
namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

namespace {

struct Options {
  std::string dir;
  int waiting = 256;
  double seconds = 4;
};

struct Rate {
  std::uint64_t entries = 0;
  double seconds = 0;
  void add(std::uint64_t count, Clock::time_point began) {
    entries += count;
    seconds += Seconds(Clock::now() - began).count();
  }
  double a_second() const { return static_cast<double>(entries) / seconds; }
};

template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(*result);
  std::fprintf(stderr, "bench-ledger: %s\n", result.error().message.c_str());
  std::exit(1);
}

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench-ledger: %s\n", what);
  std::exit(1);
}

Instant now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

relay_ledger::Ledger::Seen login() { return {.what = "login", .who = {{"https://idp.example.se", "anna.berg"}}}; }

std::string entry_text() {
  ledger::Entry entry;
  entry.time = now();
  entry.what = login().what;
  entry.who = login().who;
  entry.provider = "nord";
  return ledger::format_entry(entry);
}

// The relay's own store thread and log, `waiting` coroutines asking for an entry each, again and again.
class Grouped {
 public:
  explicit Grouped(const Options& options) : options_(options), folder_(options.dir + "/store") {
    open();
    workers_.use({[this] { store_->begin_group(); }, [this] { return store_->has_group_written(); },
                  [this] { return store_->commit_group().ok(); }, std::chrono::milliseconds(20)});
  }
  ~Grouped() { workers_.stop(); }

  void measure(Rate& rate) {
    asio::io_context loop;
    const auto began = Clock::now();
    const auto before = acknowledged_.size();
    end_ = began + std::chrono::duration_cast<Clock::duration>(Seconds(options_.seconds));
    for (int i = 0; i < options_.waiting; ++i) asio::co_spawn(loop, ask(), asio::detached);
    loop.run();
    rate.add(acknowledged_.size() - before, began);
  }

  void check() {
    const auto signed_for = must(log_->checkpoint());
    log_.reset();
    store_.reset();
    open();
    ledger::Frontier again;
    for (std::uint64_t at = 0; at < must(log_->size());) {
      for (const auto& text : must(log_->entries(at, 1000))) {
        again.append(ledger::leaf_hash(view_of(text)));
        ++at;
      }
    }
    must(again.size() == signed_for.size && again.root() == signed_for.root, "the log is not the one signed for");
    must(acknowledged_.size() + 1 == again.size() && *acknowledged_.rbegin() + 1 == again.size(), "entries were lost");
  }

 private:
  void open() {
    store_ = must(store::Store::open(folder_));
    auto key = must(store::ledger_key(folder_, "nord"));
    log_ = must(
        relay_ledger::Ledger::open(*must(store_->provider("nord")), "nord", "localhost/nord", std::move(key), now()));
  }

  asio::awaitable<void> ask() {
    while (Clock::now() < end_) {
      auto job = [this] { return log_->append_seen(login(), now()); };
      const auto entry = must(co_await workers_.run(std::move(job)));
      must(acknowledged_.insert(entry.seq).second, "two entries have one place");
    }
  }

  const Options& options_;
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<relay_ledger::Ledger> log_;
  http::Workers workers_{1};
  std::set<std::uint64_t> acknowledged_;
  Clock::time_point end_;
};

// SQLite by itself, one row a transaction.
class SingleInserts {
 public:
  explicit SingleInserts(const Options& options) : options_(options) {
    must(sqlite3_open((options.dir + "/single.db").c_str(), &database_) == SQLITE_OK, "SQLite does not open");
    run("pragma journal_mode = wal");
    run("pragma synchronous = full");
    run("create table entries (seq integer primary key, text text not null)");
    sqlite3_prepare_v2(database_, "insert into entries (text) values (?)", -1, &insert_, nullptr);
  }
  ~SingleInserts() {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }

  void measure(Rate& rate) {
    const auto began = Clock::now();
    std::uint64_t count = 0;
    for (; Seconds(Clock::now() - began).count() < options_.seconds; ++count) {
      sqlite3_bind_text(insert_, 1, text_.c_str(), -1, SQLITE_STATIC);
      must(sqlite3_step(insert_) == SQLITE_DONE, "SQLite does not insert");
      sqlite3_reset(insert_);
    }
    rate.add(count, began);
  }

 private:
  void run(const char* sql) { must(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql); }

  const Options& options_;
  std::string text_ = entry_text();
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

// The least a log can be: lines at the end of a file, `waiting` of them a wait for the disk.
class RawAppend {
 public:
  explicit RawAppend(const Options& options) : options_(options) {
    file_ = ::open((options.dir + "/raw").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    must(file_ >= 0, "the file does not open");
    for (int i = 0; i < options.waiting; ++i) lines_ += entry_text() + "\n";
  }
  ~RawAppend() { ::close(file_); }

  void measure(Rate& rate) {
    const auto began = Clock::now();
    std::uint64_t count = 0;
    for (; Seconds(Clock::now() - began).count() < options_.seconds; count += static_cast<unsigned>(options_.waiting)) {
      must(::write(file_, lines_.data(), lines_.size()) == static_cast<ssize_t>(lines_.size()),
           "the file is not written");
      must(::fdatasync(file_) == 0, "the file is not synced");
    }
    rate.add(count, began);
  }

 private:
  const Options& options_;
  std::string lines_;
  int file_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Durable entries of the log, many waiting at once");
  app.add_option("--dir", options.dir, "An empty folder on the disk to measure")->required();
  app.add_option("--waiting", options.waiting);
  app.add_option("--seconds", options.seconds, "Of each measure, in each of three rounds");
  CLI11_PARSE(app, argc, argv);

  Grouped grouped(options);
  SingleInserts single(options);
  RawAppend raw(options);
  Rate rates[3];
  for (int round = 0; round < 3; ++round) {  // in turn, so that a busy moment of the machine falls on all
    grouped.measure(rates[0]);
    single.measure(rates[1]);
    raw.measure(rates[2]);
  }
  grouped.check();
  std::printf("{\"ours\":%.0f,\"entries\":%llu,\"single\":%.0f,\"raw\":%.0f}\n", rates[0].a_second(),
              static_cast<unsigned long long>(rates[0].entries), rates[1].a_second(), rates[2].a_second());
  return 0;
}
