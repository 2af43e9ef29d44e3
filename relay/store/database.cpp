#include "relay/store/database.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <deque>
#include <map>
#include <utility>

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

void fill(Bound& slot, const Value& value) {
  slot.state = std::holds_alternative<std::nullptr_t>(value) ? soci::i_null : soci::i_ok;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) slot.integer = *integer;
  if (const auto* text = std::get_if<std::string>(&value)) slot.text = *text;
}

// A statement is bound to whether each value is an integer or a text.
std::string form_of(const std::string& sql, const std::vector<Value>& values) {
  std::string out = sql;
  for (const Value& value : values) out += std::holds_alternative<std::int64_t>(value) ? '\1' : '\2';
  return out;
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

// A statement that is read by the engine once and run many times, with the places of its values and columns.
struct Database::Prepared {
  Prepared(soci::session& session, const std::string& sql, std::size_t columns, const std::vector<Value>& values)
      : statement(session), bound(values.size()), read(columns) {
    for (Bound& column : read) statement.exchange(soci::into(column.text, column.state));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::holds_alternative<std::int64_t>(values[i])) {
        statement.exchange(soci::use(bound[i].integer, bound[i].state));
      } else {
        statement.exchange(soci::use(bound[i].text, bound[i].state));
      }
    }
    statement.alloc();
    statement.prepare(sql);
    statement.define_and_bind();
  }

  void take(const std::vector<Value>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) fill(bound[i], values[i]);
  }

  soci::statement statement;
  std::deque<Bound> bound;
  std::deque<Bound> read;
};

struct Database::State {
  soci::session session;
  std::optional<Error> failed;
  int transactions = 0;
  bool is_grouped = false;
  bool is_group_open = false;                                   // its transaction has begun
  std::map<std::string, std::unique_ptr<Prepared>> statements;  // those that have not failed, by form_of
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

Result<void> Database::with_statement(std::string_view sql, std::size_t columns, const std::vector<Value>& values,
                                      const std::function<void(Prepared&)>& work) {
  const std::string text(sql);
  return guarded(text.c_str(), [&] {
    const std::string form = form_of(text, values);
    auto held = state_->statements.extract(form);
    auto statement =
        held.empty() ? std::make_unique<Prepared>(state_->session, text, columns, values) : std::move(held.mapped());
    statement->take(values);
    work(*statement);
    state_->statements[form] = std::move(statement);
  });
}

Result<std::int64_t> Database::run(std::string_view sql, const std::vector<Value>& values) {
  std::int64_t changed = 0;
  TILLSYN_CHECK(with_statement(sql, 0, values, [&](Prepared& prepared) {
    prepared.statement.execute(true);
    changed = prepared.statement.get_affected_rows();
  }));
  return changed;
}

Result<std::vector<std::vector<Cell>>> Database::rows(std::string_view sql, std::size_t columns,
                                                      const std::vector<Value>& values) {
  std::vector<std::vector<Cell>> out;
  TILLSYN_CHECK(with_statement(sql, columns, values, [&](Prepared& prepared) {
    prepared.statement.execute(false);
    while (prepared.statement.fetch()) out.push_back(cells_of(prepared.read));
  }));
  return out;
}

Result<void> Database::transaction(const std::function<Result<void>()>& work) {
  if (state_->is_grouped && !state_->is_group_open) {
    TILLSYN_CHECK(run("begin immediate"));
    state_->is_group_open = true;
  }
  const bool is_inner = state_->is_group_open || state_->transactions > 0;
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

void Database::begin_group() { state_->is_grouped = true; }

bool Database::has_group_written() const { return state_->is_group_open; }

Result<void> Database::commit_group() {
  state_->is_grouped = false;
  if (!std::exchange(state_->is_group_open, false)) return {};
  auto done = run("commit");
  if (!done) {
    fail(done.error());
    return done.error();
  }
  return {};
}

void Database::fail(const Error& error) {
  if (!state_->failed) state_->failed = store_fault(error.message);
}

// One that fails has made the store sticky-failed, which the caller meets at the next call.
void Database::undo(bool is_inner) {
  (void)run(is_inner ? "rollback to inner_part" : "rollback");
  if (is_inner) (void)run("release inner_part");
}

}  // namespace tillsyn::store
