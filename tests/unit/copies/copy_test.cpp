#include "relay/copies/copy.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "relay/ledger/ledger.h"
#include "relay/store/schema.h"
#include "tests/unit/temp_dir.h"

namespace tillsyn::copies {
namespace {

const Instant kNow = *parse_instant("2026-11-22T20:15:00Z");

// A real log, and a folder for its copy.
struct Log {
  Log() {
    auto opened = store::Database::open(dir / "nord.db", store::provider_schema());
    REQUIRE(opened.ok());
    database = std::move(*opened);
    auto key = crypto::Ed25519PrivateKey::from_seed(Bytes(32, 7));
    auto log = relay_ledger::Ledger::open(*database, "nord", "example.se/nord", std::move(*key), kNow);
    REQUIRE(log.ok());
    ledger = std::move(*log);
  }

  void add(int entries) {
    for (int i = 0; i < entries; ++i) REQUIRE(ledger->append_seen({.what = "login"}, kNow).ok());
  }
  Copy copy() const { return {file, ledger->verifier_key()}; }
  News after(std::uint64_t from) const { return {*ledger->entries(from, 1000), *ledger->checkpoint_note()}; }
  bool agrees(const Copy::Held& held) const {
    const auto then = ledger->checkpoint_at(held.lines.size);
    return then.ok() && then->root == held.lines.root;
  }

  // Whether the copy could be brought up to the log; what it held before is the log's beginning then.
  bool bring_up(Copy copy) const {
    const auto held = copy.held();
    if (!held || !agrees(*held)) return false;
    REQUIRE(copy.append(after(held->signed_size)).ok());
    const auto now = copy.held();
    REQUIRE(now.ok());
    return now->signed_size == *ledger->size() && agrees(*now);
  }

  test::TempDir dir;
  std::string file = dir / "nord.ledger";
  std::unique_ptr<store::Database> database;
  std::unique_ptr<relay_ledger::Ledger> ledger;
};

std::string read(const std::string& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}
void write(const std::string& file, const std::string& content) { std::ofstream(file) << content; }

// No file can grow beyond this for as long as it lives.
class FullDisk {
 public:
  explicit FullDisk(std::size_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("a copy holds every entry and, after each part, the log's signed word on it", "[copies][AUD-1]") {
  Log log;
  log.add(3);
  REQUIRE(log.bring_up(log.copy()));
  log.add(2);
  REQUIRE(log.bring_up(log.copy()));  // another object: after a restart
  std::istringstream lines(read(log.file));
  std::string text;
  std::vector<std::string> entries;
  std::vector<std::size_t> checkpoints;
  while (std::getline(lines, text)) {
    const bool is_checkpoint = text.starts_with("{\"checkpoint\":");
    is_checkpoint ? checkpoints.push_back(entries.size()) : entries.push_back(text);
  }
  CHECK(entries == *log.ledger->entries(0, 1000));
  CHECK(checkpoints == std::vector<std::size_t>{4, 6});
  CHECK((std::filesystem::status(log.file).permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);
}

TEST_CASE("a copy that was cut off at any byte goes on from where it is sure", "[copies][AUD-1][AVA-3]") {
  Log log;
  log.add(2);
  REQUIRE(log.bring_up(log.copy()));
  log.add(2);
  REQUIRE(log.bring_up(log.copy()));
  const std::string whole = read(log.file);
  log.add(1);
  for (std::size_t bytes = 0; bytes <= whole.size(); ++bytes) {
    INFO(bytes);
    write(log.file, whole.substr(0, bytes));
    REQUIRE(log.bring_up(log.copy()));
  }
}

TEST_CASE("a copy with any byte altered is refused and left as it is", "[copies][AUD-1]") {
  Log log;
  log.add(1);
  REQUIRE(log.bring_up(log.copy()));
  log.add(1);
  REQUIRE(log.bring_up(log.copy()));
  const std::string whole = read(log.file);
  for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
    INFO(at);
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x01);
    write(log.file, bad);
    Copy copy = log.copy();
    const auto held = copy.held();
    const bool is_refused = held ? !log.agrees(*held) : held.error().reason == "copy_disagrees";
    CHECK(is_refused);
    CHECK(read(log.file) == bad);
  }
}

TEST_CASE("a copy of another log, or longer than this one, is refused", "[copies][AUD-1][TEN-1]") {
  Log log;
  log.add(2);
  REQUIRE(log.bring_up(log.copy()));
  const auto strange = crypto::Ed25519PrivateKey::from_seed(Bytes(32, 8));
  Copy other(log.file, {"example.se/nord", strange->public_key()});
  CHECK(other.held().error().reason == "copy_disagrees");
  write(log.file, read(log.file) + "{\"seq\":3}\n");
  Copy copy = log.copy();
  CHECK_FALSE(log.agrees(*copy.held()));
}

TEST_CASE("a folder that is gone or a disk that is full is said, and the copy goes on when it is back",
          "[copies][AUD-1]") {
  Log log;
  log.add(2);
  const std::string away = log.dir / "away";
  const std::string folder = log.dir / "folder";
  std::filesystem::create_directory(folder);
  Copy copy(folder + "/nord.ledger", log.ledger->verifier_key());
  REQUIRE(copy.held().ok());
  REQUIRE(copy.append(log.after(0)).ok());
  log.add(1);
  std::filesystem::rename(folder, away);
  REQUIRE(copy.held().ok());  // as if it had never been
  CHECK(copy.append(log.after(0)).error().reason == "copy_unwritable");
  std::filesystem::rename(away, folder);
  const auto held = copy.held();
  REQUIRE(held.ok());
  CHECK(held->signed_size == 3);
  CHECK(copy.append(log.after(3)).ok());

  log.add(1);
  const auto almost = copy.held();
  REQUIRE(almost.ok());
  {
    const FullDisk full(read(folder + "/nord.ledger").size() + 100);  // some of it fits
    CHECK(copy.append(log.after(4)).error().reason == "copy_unwritable");
  }
  const auto cut = copy.held();
  REQUIRE(cut.ok());
  CHECK(cut->signed_size == 4);
  CHECK(log.agrees(*cut));
  CHECK(copy.append(log.after(4)).ok());
  CHECK(copy.held()->signed_size == 5);
}

TEST_CASE("a folder that comes back between look and word is not written to before it has been looked at",
          "[copies][AUD-1]") {
  Log log;
  log.add(2);
  REQUIRE(log.bring_up(log.copy()));
  const std::string whole = read(log.file);
  log.add(1);
  Copy copy = log.copy();
  std::filesystem::rename(log.file, log.file + ".away");
  REQUIRE(copy.held()->signed_size == 0);
  std::filesystem::rename(log.file + ".away", log.file);
  CHECK(copy.append(log.after(0)).error().reason == "copy_unwritable");
  CHECK(read(log.file) == whole);
  CHECK(log.bring_up(log.copy()));
}

}  // namespace
}  // namespace tillsyn::copies
