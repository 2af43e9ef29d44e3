#pragma once

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/result.h"

namespace tillsyn::store {

// What is bound to a statement: NULL, an integer or a text. Bytes are kept as base64url text.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string>;

Value optional_value(const std::optional<std::string>& text);  // nullopt -> NULL

// One step of a database's form, run once. Steps are only ever added, and only add (tables, indices, columns with a
// default), so that an older program still opens a newer store.
using Migration = std::string_view;  // statements parted by ";"

// A column as it was read: NULL or its text.
using Cell = std::optional<std::string>;

// One SQLite database (through SOCI), write-ahead logged and synchronous=FULL: what `transaction` or `run` has answered
// with success is on the disk, or within a group will be once that is committed. All exceptions of the library end
// here.
//
// Failures: kConflict "constraint" when a row contradicts another (nothing changed); kIo "store_fault" when disk or
// engine failed, and from then on for every call, so that nothing is acknowledged on a store that may have lost
// something; kInternal "sql" for a statement of ours that is wrong. Threads: thread-bound.
class Database {
 public:
  // Opens or makes the file (mode 0600), checks its structure, and runs the migrations it lacks, all or none.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file,
                                                std::span<const Migration> migrations);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs one statement with `values` for its :parameters, in their order. The number of rows changed.
  Result<std::int64_t> run(std::string_view sql, const std::vector<Value>& values = {});

  // The rows of a query whose columns are, in order, std::int64_t, std::string or std::optional of these.
  //
  //   TILLSYN_TRY(rows, (db.select<std::int64_t, std::string>("select seq, text from entries where seq >= :from",
  //   {from})));
  template <typename... Columns>
  Result<std::vector<std::tuple<Columns...>>> select(std::string_view sql, const std::vector<Value>& values = {});

  // The only row; nullopt when there is none. kInternal when there are several.
  template <typename... Columns>
  Result<std::optional<std::tuple<Columns...>>> select_one(std::string_view sql, const std::vector<Value>& values = {});

  // False once SQLite has failed: from then on every call fails, until the database is opened anew.
  bool is_sound() const;

  // Runs `work`, and keeps what it wrote if it succeeded, nothing of it otherwise, nor if it throws, which is passed
  // on. One inside another is durable, or undone, with the outer.
  Result<void> transaction(const std::function<Result<void>()>& work);

  // Until commit_group, transactions are kept or undone each by itself, but all that are kept become durable together,
  // then. If that fails the store has failed, and nothing of them is there.
  void begin_group();
  bool has_group_written() const;
  Result<void> commit_group();

  // From now on every call fails with this error, as after a failure of the disk.
  void fail(const Error& error);

 private:
  struct State;
  struct Prepared;
  explicit Database(std::unique_ptr<State> state);
  Result<std::vector<std::vector<Cell>>> rows(std::string_view sql, std::size_t columns,
                                              const std::vector<Value>& values);
  Result<void> with_statement(std::string_view sql, std::size_t columns, const std::vector<Value>& values,
                              const std::function<void(Prepared&)>& work);
  void undo(bool is_inner);
  Result<void> migrate(std::span<const Migration> migrations);
  Result<void> guarded(const char* what, const std::function<void()>& work);

  std::unique_ptr<State> state_;
};

namespace detail {

inline bool read_cell(const Cell& cell, std::string& out) {
  if (cell) out = *cell;
  return cell.has_value();
}

inline bool read_cell(const Cell& cell, std::int64_t& out) {
  if (!cell) return false;
  const char* end = cell->data() + cell->size();
  const auto read = std::from_chars(cell->data(), end, out);
  return read.ec == std::errc() && read.ptr == end;
}

template <typename T>
bool read_cell(const Cell& cell, std::optional<T>& out) {
  return !cell || read_cell(cell, out.emplace());
}

template <typename Tuple, std::size_t... I>
bool read_row(const std::vector<Cell>& cells, Tuple& out, std::index_sequence<I...>) {
  return (read_cell(cells[I], std::get<I>(out)) && ...);
}

}  // namespace detail

template <typename... Columns>
Result<std::vector<std::tuple<Columns...>>> Database::select(std::string_view sql, const std::vector<Value>& values) {
  TILLSYN_TRY(found, rows(sql, sizeof...(Columns), values));
  std::vector<std::tuple<Columns...>> out(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!detail::read_row(found[i], out[i], std::index_sequence_for<Columns...>())) {
      return Error{Code::kIo, "store_fault", "a stored row has another form than this program writes"};
    }
  }
  return out;
}

template <typename... Columns>
Result<std::optional<std::tuple<Columns...>>> Database::select_one(std::string_view sql,
                                                                   const std::vector<Value>& values) {
  TILLSYN_TRY(found, select<Columns...>(sql, values));
  if (found.size() > 1) return Error{Code::kInternal, "sql", "several rows where one was asked for"};
  std::optional<std::tuple<Columns...>> out;
  if (!found.empty()) out = std::move(found.front());
  return out;
}

}  // namespace tillsyn::store
