#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/sqlite/database.h"

using namespace tillsyn;
using namespace tillsyn::sqlite;

namespace {

constexpr const char* kFirst[] = {"CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data BLOB)"};
constexpr const char* kSecond[] = {kFirst[0], "ALTER TABLE item ADD COLUMN note TEXT NOT NULL DEFAULT ''"};

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "tillsyn-sqlite-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ + "/store.db"; }

 private:
  std::string path_;
};

Database open(const Folder& folder, Migrations migrations = kFirst) {
  auto database = Database::open(folder.file(), migrations);
  REQUIRE(database);
  return std::move(*database);
}

std::int64_t count(Database& database) {
  auto rows = database.query("SELECT count(*) FROM item");
  REQUIRE(rows);
  REQUIRE(*rows->step());
  return rows->integer(0);
}

void overwrite(const std::string& path, std::streamoff at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file << bytes;
}

}  // namespace

TEST_CASE("what is committed is there when the file is opened again", "[sqlite]") {
  Folder folder;
  {
    auto database = open(folder);
    REQUIRE(database.run("INSERT INTO item(id, name, data) VALUES(?, ?, ?)", 7, "lamp", Bytes{1, 0, 255}));
    CHECK(database.changes() == 1);
    CHECK(database.last_row_id() == 7);
  }
  auto database = open(folder);
  auto row = database.query("SELECT id, name, data, NULL FROM item WHERE name = ?", std::string("lamp"));
  REQUIRE(row);
  REQUIRE(*row->step());
  CHECK(row->unsigned_integer(0) == 7);
  CHECK(row->text(1) == "lamp");
  CHECK(row->blob(2) == Bytes{1, 0, 255});
  CHECK(row->is_null(3));
  CHECK(!row->is_null(2));
  CHECK_FALSE(*row->step());
}

TEST_CASE("empty text and empty bytes are values, not NULL", "[sqlite]") {
  Folder folder;
  auto database = open(folder);
  REQUIRE(database.run("INSERT INTO item(name, data) VALUES(?, ?)", std::string_view(), Bytes()));
  REQUIRE(database.run("INSERT INTO item(name, data) VALUES(?, ?)", "none", std::optional<Bytes>()));
  auto rows = database.query("SELECT data IS NULL FROM item ORDER BY id");
  REQUIRE(rows);
  REQUIRE(*rows->step());
  CHECK(rows->integer(0) == 0);
  REQUIRE(*rows->step());
  CHECK(rows->integer(0) == 1);
}

TEST_CASE("a transaction that is not committed leaves nothing", "[sqlite]") {
  Folder folder;
  auto database = open(folder);
  {
    auto transaction = Transaction::begin(database);
    REQUIRE(transaction);
    REQUIRE(database.run("INSERT INTO item(name) VALUES('a')"));
    CHECK(count(database) == 1);
  }
  CHECK(count(database) == 0);
  {
    auto transaction = Transaction::begin(database);
    REQUIRE(transaction);
    REQUIRE(database.run("INSERT INTO item(name) VALUES('a')"));
    REQUIRE(transaction->commit());
  }
  CHECK(count(database) == 1);
}

TEST_CASE("a broken constraint is a conflict and no I/O error", "[sqlite]") {
  Folder folder;
  auto database = open(folder);
  REQUIRE(database.run("INSERT INTO item(name) VALUES('a')"));
  const auto again = database.run("INSERT INTO item(name) VALUES('a')");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Code::kConflict);
  CHECK_FALSE(database.failed());
  CHECK(database.run("INSERT INTO item(name) VALUES('b')"));
}

TEST_CASE("another connection's lock is waited for, then unavailable, and no I/O error", "[sqlite]") {
  Folder folder;
  auto first = open(folder);
  auto second = Database::open(folder.file(), kFirst, {.busy_time = std::chrono::milliseconds(1)});
  REQUIRE(second);
  auto lock = Transaction::begin(first);
  REQUIRE(lock);
  const auto refused = second->run("INSERT INTO item(name) VALUES('a')");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kUnavailable);
  CHECK_FALSE(second->failed());
}

TEST_CASE("wrong SQL and wrong bindings are our own mistake", "[sqlite]") {
  Folder folder;
  auto database = open(folder);
  CHECK(database.prepare("SELEKT 1").error().code == Code::kInternal);
  CHECK(database.run("INSERT INTO item(name) VALUES(?)", "a", "b").error().code == Code::kInternal);
  CHECK(database.run("INSERT INTO item(id, name) VALUES(?, 'a')", ~std::uint64_t{0}).error().code == Code::kInternal);
  CHECK(count(database) == 0);
}

TEST_CASE("a stored value of the wrong size is a fault of the store", "[sqlite]") {
  Folder folder;
  auto database = open(folder);
  auto row = database.query("SELECT x'0102', x'010203'");
  REQUIRE(row);
  REQUIRE(*row->step());
  CHECK(*row->array<2>(0) == ByteArray<2>{1, 2});
  CHECK(row->array<2>(1).error().code == Code::kIo);
}

TEST_CASE("the first I/O error stays until the file is opened anew", "[sqlite][AVA-3]") {
  Folder folder;
  {
    auto database = open(folder);
    REQUIRE(database.run("INSERT INTO item(name) VALUES('before')"));
    REQUIRE(database.query("PRAGMA max_page_count=1")->run());  // the disk is full from here on
    const auto full = database.run("INSERT INTO item(name, data) VALUES('big', zeroblob(100000))");
    REQUIRE_FALSE(full);
    CHECK(full.error().code == Code::kIo);
    CHECK(full.error().reason == "store_fault");
    CHECK(database.failed());
    CHECK(database.run("INSERT INTO item(name) VALUES('small')").error().code == Code::kIo);
    CHECK(database.prepare("SELECT 1").error().code == Code::kIo);
    CHECK(Transaction::begin(database).error().code == Code::kIo);
  }
  auto database = open(folder);
  CHECK_FALSE(database.failed());
  CHECK(count(database) == 1);
}

TEST_CASE("a full disk in the middle of a transaction leaves nothing of it", "[sqlite][AVA-3]") {
  Folder folder;
  {
    auto database = open(folder);
    REQUIRE(database.query("PRAGMA max_page_count=1")->run());
    auto transaction = Transaction::begin(database);
    REQUIRE(transaction);
    REQUIRE(database.run("INSERT INTO item(name) VALUES('first')"));
    REQUIRE_FALSE(database.run("INSERT INTO item(name, data) VALUES('big', zeroblob(100000))"));
    CHECK_FALSE(transaction->commit());
  }
  auto database = open(folder);
  CHECK(count(database) == 0);
}

TEST_CASE("a file that is no database, or a damaged one, is refused", "[sqlite]") {
  Folder folder;
  SECTION("no database") { std::ofstream(folder.file()) << std::string(8192, 'x'); }
  SECTION("damaged") {
    {
      auto database = open(folder);
      for (int i = 0; i < 100; ++i)
        REQUIRE(database.run("INSERT INTO item(name, data) VALUES(?, zeroblob(500))", std::to_string(i)));
    }
    overwrite(folder.file(), 3 * 4096, std::string(4096, '\xa5'));
  }
  const auto database = Database::open(folder.file(), kFirst);
  REQUIRE_FALSE(database);
  CHECK(database.error().code == Code::kIo);
}

TEST_CASE("a folder that does not exist is refused", "[sqlite]") {
  Folder folder;
  CHECK(Database::open(folder.file() + "/nowhere/x.db", kFirst).error().code == Code::kIo);
}

TEST_CASE("migrations are applied to every older store, and an older program opens a newer one", "[sqlite][UPD-1]") {
  Folder folder;
  {
    auto older = open(folder, kFirst);
    REQUIRE(older.run("INSERT INTO item(name) VALUES('a')"));
  }
  {
    auto newer = open(folder, kSecond);
    auto row = newer.query("SELECT note FROM item");
    REQUIRE(row);
    REQUIRE(*row->step());
    CHECK(row->text(0).empty());
  }
  auto older = open(folder, kFirst);
  CHECK(older.run("INSERT INTO item(name) VALUES('b')"));
}

TEST_CASE("a migration that fails leaves the store as it was", "[sqlite]") {
  Folder folder;
  { open(folder, kFirst); }
  constexpr const char* kBroken[] = {kFirst[0], "CREATE TABLE extra(x)", "CREATE NONSENSE"};
  REQUIRE_FALSE(Database::open(folder.file(), kBroken));
  auto database = open(folder, kFirst);
  CHECK_FALSE(database.prepare("SELECT * FROM extra"));
}

TEST_CASE("the store is synchronous, enforces foreign keys and is readable by its owner only", "[sqlite]") {
  Folder folder;
  auto database = open(folder);
  const auto pragma = [&](const char* sql) {
    auto row = database.query(sql);
    REQUIRE(*row->step());
    return row->text(0);
  };
  CHECK(pragma("PRAGMA journal_mode") == "wal");
  CHECK(pragma("PRAGMA synchronous") == "2");
  CHECK(pragma("PRAGMA foreign_keys") == "1");
  struct stat status {};
  REQUIRE(stat(folder.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(database.run("INSERT INTO item(name) VALUES('a')"));
  REQUIRE(stat((folder.file() + "-wal").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}
