#include "relay/store/store.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "relay/store/key_file.h"

namespace tillsyn::store {
namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tillsyn-store-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

constexpr Migration kFirst[] = {
    "create table things (id bigint primary key, name text); create index by_name on things (name)"};
constexpr Migration kSecond[] = {kFirst[0], "alter table things add column colour text not null default 'grey'"};

std::unique_ptr<Database> open(const std::filesystem::path& file, std::span<const Migration> steps = kFirst) {
  auto database = Database::open(file, steps);
  REQUIRE(database.ok());
  return std::move(*database);
}

std::int64_t count(Database& database) {
  auto found = database.select_one<std::int64_t>("select count(*) from things");
  REQUIRE(found.ok());
  return std::get<0>(**found);
}

TEST_CASE("values come back as they were bound, NULL and large integers included", "[store]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  const std::int64_t large = (std::int64_t{1} << 53) - 1;
  REQUIRE(database->run("insert into things values (:id, :name)", {large, "å; 'quoted' :name"}).ok());
  REQUIRE(database->run("insert into things values (:id, :name)", {std::int64_t{-1}, nullptr}).ok());
  auto rows = database->select<std::int64_t, std::optional<std::string>>("select id, name from things order by id");
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  CHECK(std::get<0>(rows->at(0)) == -1);
  CHECK_FALSE(std::get<1>(rows->at(0)).has_value());
  CHECK(std::get<0>(rows->at(1)) == large);
  CHECK(std::get<1>(rows->at(1)) == "å; 'quoted' :name");
}

TEST_CASE("what was acknowledged is there after the file is opened anew", "[store]") {
  Folder folder;
  { REQUIRE(open(folder.path / "a.db")->run("insert into things values (1, 'one')").ok()); }
  CHECK(count(*open(folder.path / "a.db")) == 1);
}

TEST_CASE("a transaction that fails leaves nothing, and the error is its own", "[store]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  const auto done = database->transaction([&]() -> Result<void> {
    TILLSYN_CHECK(database->run("insert into things values (1, 'one')"));
    return refused("late", "not today");
  });
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().reason == "late");
  CHECK(count(*database) == 0);
}

TEST_CASE("a transaction inside another is undone with it", "[store]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  const auto done = database->transaction([&]() -> Result<void> {
    const auto inner = database->transaction([&]() -> Result<void> {
      TILLSYN_CHECK(database->run("insert into things values (1, 'one')"));
      return {};
    });
    CHECK(inner.ok());
    return refused("late", "not today");
  });
  CHECK_FALSE(done.ok());
  CHECK(count(*database) == 0);
}

TEST_CASE("of a transaction that fails inside another nothing stays, though the other is done", "[store]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  const auto done = database->transaction([&]() -> Result<void> {
    TILLSYN_CHECK(database->run("insert into things values (1, 'one')"));
    const auto inner = database->transaction([&]() -> Result<void> {
      TILLSYN_CHECK(database->run("insert into things values (2, 'two')"));
      return refused("late", "not today");
    });
    CHECK_FALSE(inner.ok());
    return {};
  });
  CHECK(done.ok());
  CHECK(count(*database) == 1);
}

TEST_CASE("work that throws leaves nothing, and what follows is durable again", "[store][AVA-3]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  const auto throws = [&]() -> Result<void> {
    TILLSYN_CHECK(database->run("insert into things values (1, 'one')"));
    throw std::runtime_error("our own mistake");
  };
  CHECK_THROWS_AS(database->transaction(throws), std::runtime_error);
  const auto inner = [&] { return database->transaction(throws); };
  CHECK_THROWS_AS(database->transaction(inner), std::runtime_error);
  REQUIRE(database->run("insert into things values (2, 'two')").ok());
  database = open(folder.path / "a.db");
  CHECK(count(*database) == 1);
}

TEST_CASE("of a group, what is kept is durable once the group is, and what failed leaves nothing", "[store][AUD-1]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  auto reader = open(folder.path / "a.db");
  database->begin_group();
  CHECK_FALSE(database->has_group_written());
  const auto add = [&](const char* statement, bool is_kept) {
    return database->transaction([&]() -> Result<void> {
      TILLSYN_CHECK(database->run(statement));
      if (!is_kept) return refused("late", "not today");
      return {};
    });
  };
  CHECK(add("insert into things values (1, 'one')", true).ok());
  CHECK_FALSE(add("insert into things values (2, 'two')", false).ok());
  CHECK(add("insert into things values (3, 'three')", true).ok());
  CHECK(database->has_group_written());
  CHECK(count(*reader) == 0);
  REQUIRE(database->commit_group().ok());
  CHECK_FALSE(database->has_group_written());
  CHECK(count(*reader) == 2);
  REQUIRE(add("insert into things values (4, 'four')", true).ok());
  CHECK(count(*reader) == 3);
}

TEST_CASE("a group that one provider's file did not take is answered as failed, whoever asks, and that file has nothing of it", "[store][AVA-3]") {
  Folder folder;
  auto store = Store::open(folder.path / "store");
  REQUIRE(store.ok());
  Database& nord = **(*store)->provider("nord");
  Database& syd = **(*store)->provider("syd");
  const auto add = [](Database& to, const std::string& name) {
    return to.transaction([&]() -> Result<void> {
      TILLSYN_CHECK(to.run("insert into residents values (:name, 'g', :name2)", {name, name}));
      return {};
    });
  };
  (*store)->begin_group();
  REQUIRE(add(nord, "one").ok());
  REQUIRE(add(syd, "one").ok());
  REQUIRE(syd.run("pragma max_page_count = 1").ok());
  CHECK_FALSE(add(syd, std::string(200000, 'x')).ok());
  CHECK_FALSE((*store)->commit_group().ok());
  CHECK(add(nord, "two").error().reason == "store_fault");
  CHECK_FALSE((*store)->shared().is_sound());
  store->reset();
  auto again = Store::open(folder.path / "store");
  REQUIRE(again.ok());
  CHECK((*(*again)->provider("syd"))->select<std::string>("select resident from residents")->empty());
}

TEST_CASE("a row that contradicts another is a conflict and no fault of the store", "[store]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  REQUIRE(database->run("insert into things values (1, 'one')").ok());
  const auto again = database->run("insert into things values (1, :name)", {std::string("secret name")});
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == Code::kConflict);
  CHECK(again.error().message.find("secret name") == std::string::npos);
  CHECK(count(*database) == 1);
}

TEST_CASE("a wrong statement is our own mistake and no fault of the store", "[store]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  CHECK(database->run("insert into nothing values (1)").error().code == Code::kInternal);
  CHECK(count(*database) == 0);
}

TEST_CASE("after the first fault of the disk nothing is acknowledged any more", "[store]") {
  Folder folder;
  auto database = open(folder.path / "a.db");
  REQUIRE(database->run("pragma max_page_count = 1").ok());
  const std::string page(20000, 'x');
  const auto full = database->run("insert into things values (1, :name)", {page});
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().code == Code::kIo);
  const auto small = database->run("insert into things values (2, 'small')");
  REQUIRE_FALSE(small.ok());
  CHECK(small.error().reason == "store_fault");
  CHECK_FALSE(database->select<std::int64_t>("select id from things").ok());
}

TEST_CASE("a damaged file is refused", "[store]") {
  Folder folder;
  const auto file = folder.path / "a.db";
  { REQUIRE(open(file)->run("insert into things values (1, 'one')").ok()); }
  std::ofstream(file, std::ios::binary | std::ios::in).write("not a database at all", 21);
  const auto opened = Database::open(file, kFirst);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == Code::kIo);
}

TEST_CASE("an older store gets the steps it lacks and keeps its rows; an older program opens a newer one", "[store]") {
  Folder folder;
  const auto file = folder.path / "a.db";
  { REQUIRE(open(file)->run("insert into things values (1, 'one')").ok()); }
  auto colour = open(file, kSecond)->select_one<std::string>("select colour from things");
  REQUIRE(colour.ok());
  CHECK(std::get<0>(**colour) == "grey");
  CHECK(count(*open(file, kFirst)) == 1);
}

TEST_CASE("a second process on the same folder is refused until the first has ended", "[store]") {
  Folder folder;
  auto first = Store::open(folder.path / "store");
  REQUIRE(first.ok());
  const auto second = Store::open(folder.path / "store");
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().reason == "store_in_use");
  first->reset();
  CHECK(Store::open(folder.path / "store").ok());
}

TEST_CASE("each provider has a file of its own, and no name leads out of the folder", "[store][TEN-1]") {
  Folder folder;
  auto store = Store::open(folder.path / "store");
  REQUIRE(store.ok());
  const auto nord = (*store)->provider("nord");
  const auto syd = (*store)->provider("syd");
  REQUIRE(nord.ok());
  REQUIRE(syd.ok());
  REQUIRE((*nord)->run("insert into residents values ('r', 'g', 's')").ok());
  CHECK((*syd)->select<std::string>("select resident from residents")->empty());
  for (const char* name : {"", "../nord", "Nord", "nord.db", "nord/x", "a\nb", "relay.shared"}) {
    CHECK_FALSE((*store)->provider(name).ok());
  }
  CHECK_FALSE((*store)->provider(std::string(33, 'a')).ok());
}

TEST_CASE("nobody else may read the files", "[store]") {
  Folder folder;
  auto store = Store::open(folder.path / "store");
  REQUIRE(store.ok());
  REQUIRE(ledger_key(folder.path / "store", "nord").ok());
  REQUIRE((*store)->provider("nord").ok());
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path)) {
    struct stat about {};
    REQUIRE(::stat(file.path().c_str(), &about) == 0);
    INFO(file.path());
    CHECK((about.st_mode & 077) == 0);
  }
}

TEST_CASE("keys are made once and differ between providers", "[store]") {
  Folder folder;
  const auto first = ledger_key(folder.path, "nord");
  REQUIRE(first.ok());
  CHECK(first->public_key() == ledger_key(folder.path, "nord")->public_key());
  CHECK_FALSE(first->public_key() == ledger_key(folder.path, "syd")->public_key());
  const auto client = client_key(folder.path);
  REQUIRE(client.ok());
  CHECK(client->public_key() == client_key(folder.path)->public_key());
  CHECK_FALSE(client_jwks(*client).dump().find("\"d\"") != std::string::npos);
}

TEST_CASE("a key file that is cut or that others may read is refused, not replaced", "[store]") {
  Folder folder;
  REQUIRE(ledger_key(folder.path, "nord").ok());
  const auto file = folder.path / "nord.ledger-key";
  SECTION("cut") { std::filesystem::resize_file(file, 31); }
  SECTION("open to others") { std::filesystem::permissions(file, std::filesystem::perms(0644)); }
  CHECK(ledger_key(folder.path, "nord").error().reason == "key_file");
}

TEST_CASE("a key that is gone while its database is there is lost, and not made anew", "[store][PRI-6]") {
  Folder folder;
  auto store = Store::open(folder.path);
  REQUIRE(store.ok());
  REQUIRE((*store)->provider("nord").ok());
  for (const auto& error : {ledger_key(folder.path, "nord").error(), provider_key(folder.path, "nord").error(),
                            client_key(folder.path).error()}) {
    CHECK(error.reason == "key_file");
    CHECK(error.message.find("is lost") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(folder.path / "nord.ledger-key"));
  CHECK(ledger_key(folder.path, "syd").ok());
}

}  // namespace
}  // namespace tillsyn::store
