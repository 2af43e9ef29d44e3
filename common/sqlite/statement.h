#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tillsyn::sqlite {

// The handle behind a Database and the error it will never get over.
struct Connection {
  sqlite3* handle = nullptr;
  std::optional<Error> fault;

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // What `code`, returned for `sql`, means to a caller; remembers it when it is an I/O error.
  Error failure(int code, std::string_view sql);
};

// One prepared statement. Parameters count from 1, columns from 0. Threads: as its database, which outlives it.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  // Copies the value in. A failure to bind is reported by the next step.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, int value) { return bind(index, std::int64_t{value}); }
  Statement& bind(int index, bool value) { return bind(index, std::int64_t{value}); }
  Statement& bind(int index, std::uint64_t value);  // must be below 2^63
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, const std::string& text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, ByteView blob);
  Statement& bind(int index, const Bytes& blob) { return bind(index, ByteView(blob)); }
  template <std::size_t N>
  Statement& bind(int index, const ByteArray<N>& blob) {
    return bind(index, ByteView(blob));
  }
  Statement& bind(int index, std::nullopt_t);
  template <typename T>
  Statement& bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind(index, std::nullopt);
  }

  // Goes to the next row; false when there is none, the statement is then ready to be bound and stepped again.
  Result<bool> step();

  // Steps to the end.
  Result<void> run();

  // Back to before the first row, keeping what is bound.
  void reset();

  // The columns of the row that step found; good until the next step. NULL reads as 0 or empty.
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::uint64_t unsigned_integer(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string text(int column) const;
  Bytes blob(int column) const;

  // The column as exactly N bytes; kIo, reason "store_fault", if the store holds another size.
  template <std::size_t N>
  Result<ByteArray<N>> array(int column) const {
    const Bytes bytes = blob(column);
    if (bytes.size() != N) return Error{Code::kIo, "store_fault", "a stored value has the wrong size"};
    ByteArray<N> out;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }

 private:
  friend class Database;
  Statement(Connection& connection, sqlite3_stmt* handle) : connection_(&connection), handle_(handle) {}
  void keep(int code);

  Connection* connection_;
  sqlite3_stmt* handle_;
  int bind_error_ = 0;
};

}  // namespace tillsyn::sqlite
