#include "common/sqlite/statement.h"

#include <sqlite3.h>

#include <limits>
#include <utility>

namespace tillsyn::sqlite {
namespace {

const char* sql_of(sqlite3_stmt* handle) {
  const char* sql = sqlite3_sql(handle);
  return sql == nullptr ? "" : sql;
}

}  // namespace

Connection::~Connection() { sqlite3_close_v2(handle); }

Error Connection::failure(int code, std::string_view sql) {
  if (fault) return *fault;
  const std::string message = std::string(sqlite3_errstr(code)) + " in: " + std::string(sql);
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return {Code::kConflict, "store_conflict", message};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kUnavailable, "store_busy", message};
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
      return {Code::kInternal, "store_misuse", message};
    default:
      return fault.emplace(Error{Code::kIo, "store_fault", message});
  }
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_), handle_(std::exchange(other.handle_, nullptr)), bind_error_(other.bind_error_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(handle_, other.handle_);
  std::swap(bind_error_, other.bind_error_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::keep(int code) {
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
}

Statement& Statement::bind(int index, std::int64_t value) {
  keep(sqlite3_bind_int64(handle_, index, value));
  return *this;
}

Statement& Statement::bind(int index, std::uint64_t value) {
  if (!std::in_range<std::int64_t>(value)) keep(SQLITE_RANGE);
  return bind(index, static_cast<std::int64_t>(value));
}

Statement& Statement::bind(int index, std::string_view text) {
  // SQLite takes a null pointer for NULL, and an empty text may be one.
  const char* data = text.empty() ? "" : text.data();
  keep(sqlite3_bind_text64(handle_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int index, ByteView blob) {
  keep(blob.empty() ? sqlite3_bind_zeroblob(handle_, index, 0)
                    : sqlite3_bind_blob64(handle_, index, blob.data(), blob.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind(int index, std::nullopt_t) {
  keep(sqlite3_bind_null(handle_, index));
  return *this;
}

Result<bool> Statement::step() {
  if (connection_->fault) return *connection_->fault;
  if (bind_error_ != SQLITE_OK) return connection_->failure(bind_error_, sql_of(handle_));
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_);
    return false;
  }
  const Error error = connection_->failure(code, sql_of(handle_));
  sqlite3_reset(handle_);
  return error;
}

Result<void> Statement::run() {
  while (true) {
    TILLSYN_TRY(more, step());
    if (!more) return {};
  }
}

void Statement::reset() { sqlite3_reset(handle_); }

bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string Statement::text(int column) const {
  const auto* data = sqlite3_column_text(handle_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return data == nullptr ? std::string() : text_of({data, size});
}

Bytes Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return data == nullptr ? Bytes() : Bytes(data, data + size);
}

}  // namespace tillsyn::sqlite
