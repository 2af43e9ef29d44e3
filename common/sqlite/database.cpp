#include "common/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <utility>

namespace tillsyn::sqlite {
namespace {

// SQLite gives its files the mode of the database file, which it would otherwise make readable to all.
void create_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
}

}  // namespace

Database::Database(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const std::string& path, Migrations migrations, Options options) {
  create_private(path);
  auto connection = std::make_unique<Connection>();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection->handle, flags, nullptr);
  if (code != SQLITE_OK) return connection->failure(code, "open");
  sqlite3_busy_timeout(connection->handle, static_cast<int>(options.busy_time.count()));
  Database database(std::move(connection));
  TILLSYN_CHECK(database.configure());
  TILLSYN_CHECK(database.verify());
  TILLSYN_CHECK(database.migrate(migrations));
  return database;
}

Result<void> Database::configure() {
  TILLSYN_CHECK(execute("PRAGMA journal_mode=WAL"));
  TILLSYN_CHECK(execute("PRAGMA synchronous=FULL"));
  TILLSYN_CHECK(execute("PRAGMA foreign_keys=ON"));
  return execute("PRAGMA trusted_schema=OFF");
}

Result<void> Database::verify() {
  TILLSYN_TRY(check, query("PRAGMA quick_check(1)"));
  TILLSYN_TRY(found, check.step());
  if (found && check.text(0) == "ok") return {};
  return connection_->failure(SQLITE_CORRUPT, "quick_check");
}

Result<void> Database::migrate(Migrations migrations) {
  TILLSYN_TRY(transaction, Transaction::begin(*this));
  std::size_t version = 0;
  {
    TILLSYN_TRY(stored, query("PRAGMA user_version"));
    TILLSYN_CHECK(stored.step());
    version = static_cast<std::size_t>(stored.integer(0));
  }
  if (version >= migrations.size()) return {};
  for (; version < migrations.size(); ++version) TILLSYN_CHECK(execute(migrations[version]));
  TILLSYN_CHECK(execute(("PRAGMA user_version=" + std::to_string(migrations.size())).c_str()));
  return transaction.commit();
}

Result<void> Database::execute(const char* sql) {
  if (connection_->fault) return *connection_->fault;
  const int code = sqlite3_exec(connection_->handle, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return connection_->failure(code, sql);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (connection_->fault) return *connection_->fault;
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v2(connection_->handle, sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  if (code != SQLITE_OK) return connection_->failure(code, sql);
  return Statement(*connection_, handle);
}

std::int64_t Database::changes() const { return sqlite3_changes64(connection_->handle); }
std::int64_t Database::last_row_id() const { return sqlite3_last_insert_rowid(connection_->handle); }
bool Database::failed() const { return connection_->fault.has_value(); }

Result<Transaction> Transaction::begin(Database& database) {
  TILLSYN_CHECK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_ != nullptr) sqlite3_exec(database_->connection_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<void> Transaction::commit() {
  TILLSYN_CHECK(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace tillsyn::sqlite
