#include "relay/store/database.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <deque>

namespace tillsyn::store {
namespace {

constexpr int kSqliteError = 1;
constexpr int kSqliteConstraint = 19;

Error store_fault(const std::string& message) { return {Code::kIo, "store_fault", message}; }

// SOCI keeps pointers to what it binds, so the values need an address that stays.
struct Bound {
  std::string text;
  long long integer = 0;
  soci::indicator state = soci::i_ok;
};

void bind(soci::statement& statement, Bound& slot, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    slot.integer = *integer;
    statement.exchange(soci::use(slot.integer, slot.state));
    return;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    slot.text = *text;
  } else {
    slot.state = soci::i_null;
  }
  statement.exchange(soci::use(slot.text, slot.state));
}

std::vector<Cell> cells_of(const std::deque<Bound>& columns) {
  std::vector<Cell> out;
  out.reserve(columns.size());
  for (const Bound& column : columns) {
    out.push_back(column.state == soci::i_null ? Cell() : Cell(column.text));
  }
  return out;
}

// Also what SQLite cannot read at all: a file cut short or written over, a disk that fails.
Error damaged(const std::filesystem::path& file) {
  return store_fault(file.filename().string() +
                     " is damaged or cannot be read: leave it as it is, look after the disk, and restore the backup");
}

// Made here and not by SQLite, so that nobody but the owner can ever read it.
Result<void> make_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return store_fault("cannot open the database file");
  ::close(descriptor);
  return {};
}

std::vector<std::string> statements_of(Migration migration) {
  std::vector<std::string> out;
  while (!migration.empty()) {
    const auto end = std::min(migration.find(';'), migration.size());
    if (migration.substr(0, end).find_first_not_of(" \n") != std::string_view::npos) {
      out.emplace_back(migration.substr(0, end));
    }
    migration.remove_prefix(std::min(end + 1, migration.size()));
  }
  return out;
}

// One transaction deeper, for as long as it lives.
class Depth {
 public:
  explicit Depth(int& depth) : depth_(depth) { ++depth_; }
  ~Depth() { --depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  int& depth_;
};

}  // namespace

struct Database::State {
  soci::session session;
  std::optional<Error> failed;
  int transactions = 0;
};

Value optional_value(const std::optional<std::string>& text) { return text ? Value(*text) : Value(nullptr); }

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

bool Database::is_sound() const { return !state_->failed; }

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file,
                                                 std::span<const Migration> migrations) {
  TILLSYN_CHECK(make_private(file));
  std::unique_ptr<Database> database(new Database(std::make_unique<State>()));
  TILLSYN_CHECK(database->guarded(
      "open", [&] { database->state_->session.open(*soci::factory_sqlite3(), "dbname=\"" + file.string() + "\""); }));
  const auto mode = database->select_one<std::string>("pragma journal_mode = wal");
  if (!mode) return damaged(file);
  if (!*mode || std::get<0>(**mode) != "wal") return store_fault("write-ahead logging is not to be had");
  TILLSYN_CHECK(database->run("pragma synchronous = full"));
  TILLSYN_CHECK(database->run("pragma foreign_keys = on"));
  const auto sound = database->select<std::string>("pragma quick_check");
  if (!sound || sound->size() != 1 || std::get<0>(sound->front()) != "ok") return damaged(file);
  TILLSYN_CHECK(database->migrate(migrations));
  return database;
}

Result<void> Database::migrate(std::span<const Migration> migrations) {
  return transaction([&]() -> Result<void> {
    TILLSYN_CHECK(run("create table if not exists schema_steps (step bigint primary key)"));
    TILLSYN_TRY(newest, (select_one<std::int64_t>("select coalesce(max(step), 0) from schema_steps")));
    for (auto step = static_cast<std::size_t>(std::get<0>(*newest)); step < migrations.size(); ++step) {
      for (const auto& statement : statements_of(migrations[step])) TILLSYN_CHECK(run(statement));
      TILLSYN_CHECK(run("insert into schema_steps (step) values (:step)", {static_cast<std::int64_t>(step + 1)}));
    }
    return {};
  });
}

Result<void> Database::guarded(const char* what, const std::function<void()>& work) {
  if (state_->failed) return *state_->failed;
  try {
    work();
    return {};
  } catch (const soci::sqlite3_soci_error& error) {
    // Never the statement's values: they may be personal.
    if (error.result() == kSqliteConstraint) return Error{Code::kConflict, "constraint", what};
    if (error.result() == kSqliteError) return Error{Code::kInternal, "sql", what};
    state_->failed = store_fault(std::string(what) + ": SQLite error " + std::to_string(error.result()));
  } catch (const std::exception& error) {
    state_->failed = store_fault(std::string(what) + ": " + error.what());
  }
  return *state_->failed;
}

Result<std::int64_t> Database::run(std::string_view sql, const std::vector<Value>& values) {
  std::int64_t changed = 0;
  const std::string text(sql);
  TILLSYN_CHECK(guarded(text.c_str(), [&] {
    soci::statement statement(state_->session);
    std::deque<Bound> bound(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) bind(statement, bound[i], values[i]);
    statement.alloc();
    statement.prepare(text, soci::details::st_one_time_query);
    statement.define_and_bind();
    statement.execute(true);
    changed = statement.get_affected_rows();
  }));
  return changed;
}

Result<std::vector<std::vector<Cell>>> Database::rows(std::string_view sql, std::size_t columns,
                                                      const std::vector<Value>& values) {
  std::vector<std::vector<Cell>> out;
  const std::string text(sql);
  TILLSYN_CHECK(guarded(text.c_str(), [&] {
    soci::statement statement(state_->session);
    std::deque<Bound> read(columns);
    std::deque<Bound> bound(values.size());
    for (Bound& column : read) statement.exchange(soci::into(column.text, column.state));
    for (std::size_t i = 0; i < values.size(); ++i) bind(statement, bound[i], values[i]);
    statement.alloc();
    statement.prepare(text);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) out.push_back(cells_of(read));
  }));
  return out;
}

Result<void> Database::transaction(const std::function<Result<void>()>& work) {
  const bool is_inner = state_->transactions > 0;
  TILLSYN_CHECK(run(is_inner ? "savepoint inner_part" : "begin immediate"));
  const Depth depth(state_->transactions);
  try {
    if (auto done = work(); !done) {
      undo(is_inner);
      return done;
    }
  } catch (...) {
    undo(is_inner);
    throw;
  }
  TILLSYN_CHECK(run(is_inner ? "release inner_part" : "commit"));
  return {};
}

// One that fails has made the store sticky-failed, which the caller meets at the next call.
void Database::undo(bool is_inner) {
  (void)run(is_inner ? "rollback to inner_part" : "rollback");
  if (is_inner) (void)run("release inner_part");
}

}  // namespace tillsyn::store
