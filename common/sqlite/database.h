#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/sqlite/statement.h"

struct sqlite3;

namespace tillsyn::sqlite {

// Numbered migrations, the first is number 1. Each is one or more SQL statements and only adds: tables, columns with a
// default, indices. So an older program opens a newer store.
using Migrations = std::span<const char* const>;

// One connection to one SQLite file: WAL, synchronous=FULL, foreign keys on. A statement that returns success outside a
// transaction, and a Transaction whose commit returns success, are on disk.
//
// Errors: kIo for everything that the disk or the file is to blame for (reason "store_fault"); after the first of them
// the connection refuses everything with that error until the file is opened anew, because what is on disk is then
// unknown. kConflict for a broken constraint ("store_conflict"), kUnavailable when another process holds the lock past
// the busy time
// ("store_busy"), kInternal for SQL that is wrong. Messages hold SQLite's words and the SQL, never a bound value.
//
// Threads: thread-bound. Moved, never copied; outlives its statements and transactions.
class Database {
 public:
  struct Options {
    std::chrono::milliseconds busy_time{5000};
  };

  // Opens or creates the file (mode 0600), checks its structure (quick_check), and applies the migrations it lacks, all
  // or none. A file that is damaged or is no database: kIo. The folder must exist.
  static Result<Database> open(const std::string& path, Migrations migrations, Options options);
  static Result<Database> open(const std::string& path, Migrations migrations) { return open(path, migrations, {}); }

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  // The SQL's first statement, ready to bind and step.
  Result<Statement> prepare(std::string_view sql);

  // Prepares with the arguments bound in sequence (see Statement::bind).
  template <typename... Values>
  Result<Statement> query(std::string_view sql, const Values&... values) {
    TILLSYN_TRY(statement, prepare(sql));
    int index = 0;
    (statement.bind(++index, values), ...);
    return std::move(statement);
  }

  // The same for statements whose rows, if any, are not wanted.
  template <typename... Values>
  Result<void> run(std::string_view sql, const Values&... values) {
    TILLSYN_TRY(statement, query(sql, values...));
    return statement.run();
  }

  // Rows changed by the last INSERT, UPDATE or DELETE.
  std::int64_t changes() const;
  std::int64_t last_row_id() const;

  // Whether the first I/O error has happened.
  bool failed() const;

 private:
  friend class Transaction;
  Database(std::unique_ptr<Connection> connection);
  Result<void> execute(const char* sql);
  Result<void> configure();
  Result<void> verify();
  Result<void> migrate(Migrations migrations);

  std::unique_ptr<Connection> connection_;
};

// A write transaction. Destroyed without a successful commit, it is rolled back. Threads: as its database.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // Success means durable. After a failure nothing of the transaction is in the store (or, after kIo, nobody knows).
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;
};

}  // namespace tillsyn::sqlite
