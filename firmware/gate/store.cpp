#include "firmware/gate/store.h"

#include "common/civil/date.h"

namespace tillsyn::gate {
namespace {

constexpr std::chrono::days kEventLife{30};

constexpr const char* kMigrations[] = {
    "CREATE TABLE trust(kind TEXT PRIMARY KEY, envelope TEXT NOT NULL);"
    "CREATE TABLE accepted(n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, provider TEXT NOT NULL, payload TEXT);"
    "CREATE TABLE waiting(n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text TEXT NOT NULL);"
    "CREATE TABLE head(n INTEGER PRIMARY KEY, head BLOB NOT NULL UNIQUE);"
    "CREATE TABLE event(n INTEGER PRIMARY KEY, hash BLOB NOT NULL, time INTEGER NOT NULL, envelope TEXT NOT NULL);"
    "CREATE TABLE open_window(id TEXT NOT NULL, date TEXT NOT NULL, PRIMARY KEY(id, date));"
    "CREATE TABLE number(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
    "CREATE TABLE checkpoint(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL, root BLOB NOT NULL);"
    "CREATE TABLE link_key(one INTEGER PRIMARY KEY CHECK(one = 1), point BLOB NOT NULL, n INTEGER NOT NULL);",
    "ALTER TABLE checkpoint ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;",
    "CREATE TABLE resident_pause(one INTEGER PRIMARY KEY CHECK(one = 1), state TEXT NOT NULL);"
    "INSERT INTO resident_pause VALUES(1, 'goes on');"};
constexpr const char* kPaused = "paused";
constexpr const char* kGoesOn = "goes on";

std::int64_t milliseconds(Instant instant) { return instant.time_since_epoch().count(); }

}  // namespace

Result<Store> Store::open(const std::string& path) {
  TILLSYN_TRY(database, sqlite::Database::open(path, kMigrations));
  return Store(std::move(database));
}

Result<std::vector<std::string>> Store::texts(const char* sql) {
  TILLSYN_TRY(rows, database_.query(sql));
  std::vector<std::string> out;
  while (true) {
    TILLSYN_TRY(more, rows.step());
    if (!more) return out;
    out.push_back(rows.text(0));
  }
}

Result<void> Store::save_number(const char* name, std::int64_t number) {
  return database_.run("INSERT INTO number VALUES(?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name,
                       number);
}

Result<std::optional<std::int64_t>> Store::number(const char* name) {
  TILLSYN_TRY(row, database_.query("SELECT value FROM number WHERE name = ?", name));
  TILLSYN_TRY(found, row.step());
  return found ? std::optional(row.integer(0)) : std::nullopt;
}

Result<void> Store::save_trust(const std::string& kind, const std::string& envelope) {
  return database_.run("INSERT INTO trust VALUES(?, ?) ON CONFLICT DO UPDATE SET envelope = excluded.envelope", kind,
                       envelope);
}

Result<std::optional<std::string>> Store::trust(const std::string& kind) {
  TILLSYN_TRY(row, database_.query("SELECT envelope FROM trust WHERE kind = ?", kind));
  TILLSYN_TRY(found, row.step());
  return found ? std::optional(row.text(0)) : std::nullopt;
}

Result<void> Store::add_accepted(const orders::Order& order) {
  // Outcomes are remembered by hash alone.
  const auto payload = order.payload.common.standing ? std::optional(order.payload_text) : std::nullopt;
  TILLSYN_CHECK(remove_waiting(order.hash));
  return database_.run("INSERT INTO accepted(hash, provider, payload) VALUES(?, ?, ?)", order.hash,
                       order.payload.common.provider, payload);
}

Result<std::vector<std::string>> Store::standing_payloads() {
  TILLSYN_TRY(rows, database_.query("SELECT payload, hash FROM accepted WHERE payload IS NOT NULL ORDER BY n"));
  std::vector<std::string> out;
  while (true) {
    TILLSYN_TRY(more, rows.step());
    if (!more) return out;
    TILLSYN_TRY(hash, rows.array<32>(1));
    out.push_back(rows.text(0));
    if (orders::order_hash(out.back()) != hash) return Error{Code::kIo, "store_fault", "an order on disk has changed"};
  }
}

Result<bool> Store::was_accepted(const orders::Hash& order) {
  TILLSYN_TRY(row, database_.query("SELECT 1 FROM accepted WHERE hash = ?", order));
  return row.step();
}

Result<void> Store::keep_only(const std::string& provider) {
  return database_.run("DELETE FROM accepted WHERE provider <> ?", provider);
}

Result<void> Store::add_waiting(const orders::Hash& order, const std::string& text) {
  TILLSYN_CHECK(database_.run("INSERT INTO waiting(hash, text) VALUES(?, ?) ON CONFLICT DO NOTHING", order, text));
  return database_.run("DELETE FROM waiting WHERE n NOT IN (SELECT n FROM waiting ORDER BY n DESC LIMIT ?)",
                       static_cast<std::int64_t>(kMaxWaiting));
}

Result<void> Store::remove_waiting(const orders::Hash& order) {
  return database_.run("DELETE FROM waiting WHERE hash = ?", order);
}

Result<std::vector<std::string>> Store::waiting() { return texts("SELECT text FROM waiting ORDER BY n"); }

Result<void> Store::add_head(const orders::Hash& head) {
  return database_.run("INSERT OR REPLACE INTO head(head) VALUES(?)", head);
}

Result<std::optional<orders::Hash>> Store::newest_head() {
  TILLSYN_TRY(row, database_.query("SELECT head FROM head ORDER BY n DESC LIMIT 1"));
  TILLSYN_TRY(found, row.step());
  if (!found) return std::optional<orders::Hash>();
  TILLSYN_TRY(head, row.array<32>(0));
  return std::optional(head);
}

Result<bool> Store::knows_head(const orders::Hash& head) {
  TILLSYN_TRY(row, database_.query("SELECT 1 FROM head WHERE head = ?", head));
  return row.step();
}

Result<void> Store::add_event(std::int64_t n, const orders::Hash& hash, Instant time, const std::string& envelope) {
  return database_.run("INSERT INTO event VALUES(?, ?, ?, ?)", n, hash, milliseconds(time), envelope);
}

Result<std::optional<LastEvent>> Store::last_event() {
  TILLSYN_TRY(row, database_.query("SELECT n, hash FROM event ORDER BY n DESC LIMIT 1"));
  TILLSYN_TRY(found, row.step());
  if (!found) return std::optional<LastEvent>();
  TILLSYN_TRY(hash, row.array<32>(1));
  return std::optional(LastEvent{row.integer(0), hash});
}

Result<std::vector<StoredEvent>> Store::events_after(std::int64_t n, std::size_t most) {
  TILLSYN_TRY(rows, database_.query("SELECT n, envelope FROM event WHERE n > ? ORDER BY n LIMIT ?", n,
                                    static_cast<std::int64_t>(most)));
  std::vector<StoredEvent> out;
  while (true) {
    TILLSYN_TRY(more, rows.step());
    if (!more) return out;
    out.push_back({rows.integer(0), rows.text(1)});
  }
}

Result<std::optional<StoredEvent>> Store::newest_event_of(const std::string& kind) {
  const std::string member = R"(\"kind\":\")" + kind + R"(\")";  // as it stands in the payload, a text in the envelope
  TILLSYN_TRY(row, database_.query("SELECT n, envelope FROM event WHERE instr(envelope, ?) > 0 ORDER BY n DESC LIMIT 1",
                                   member));
  TILLSYN_TRY(found, row.step());
  return found ? std::optional(StoredEvent{row.integer(0), row.text(1)}) : std::nullopt;
}

Result<void> Store::acknowledge_events(std::int64_t n, Instant now) {
  TILLSYN_CHECK(save_number("events_acknowledged", n));
  // Never the newest one: the next is chained to it.
  return database_.run("DELETE FROM event WHERE n < ? AND time < ?", n, milliseconds(now - kEventLife));
}

Result<std::int64_t> Store::events_acknowledged() {
  TILLSYN_TRY(n, number("events_acknowledged"));
  return n.value_or(0);
}

Result<void> Store::save_checkpoint(const orders::LogPoint& point, std::int64_t epoch) {
  return database_.run(
      "INSERT INTO checkpoint(one, size, root, epoch) VALUES(1, ?, ?, ?) "
      "ON CONFLICT DO UPDATE SET size = excluded.size, root = excluded.root, epoch = excluded.epoch",
      point.size, point.root, epoch);
}

Result<orders::LogPoint> Store::checkpoint(std::int64_t epoch) {
  TILLSYN_TRY(row, database_.query("SELECT size, root FROM checkpoint WHERE epoch >= ?", epoch));
  TILLSYN_TRY(found, row.step());
  if (!found) return orders::LogPoint{};
  TILLSYN_TRY(root, row.array<32>(1));
  return orders::LogPoint{row.unsigned_integer(0), root};
}

Result<void> Store::add_open_window(const orders::WindowOnDate& window) {
  return database_.run("INSERT INTO open_window VALUES(?, ?) ON CONFLICT DO NOTHING", window.id,
                       civil::format_date(window.date));
}

Result<void> Store::remove_open_window(const orders::WindowOnDate& window) {
  return database_.run("DELETE FROM open_window WHERE id = ? AND date = ?", window.id, civil::format_date(window.date));
}

Result<std::vector<orders::WindowOnDate>> Store::open_windows() {
  TILLSYN_TRY(rows, database_.query("SELECT id, date FROM open_window ORDER BY date, id"));
  std::vector<orders::WindowOnDate> out;
  while (true) {
    TILLSYN_TRY(more, rows.step());
    if (!more) return out;
    TILLSYN_TRY(date, civil::parse_date(rows.text(1)));
    out.push_back({rows.text(0), date});
  }
}

Result<void> Store::save_floor(Instant floor) { return save_number("clock_floor", milliseconds(floor)); }

Result<std::optional<Instant>> Store::floor() {
  TILLSYN_TRY(value, number("clock_floor"));
  if (!value) return std::optional<Instant>();
  return std::optional(Instant(std::chrono::milliseconds(*value)));
}

Result<void> Store::save_resident_pause(bool holds) {
  return database_.run("UPDATE resident_pause SET state = ? WHERE one = 1", std::string(holds ? kPaused : kGoesOn));
}

Result<bool> Store::resident_pause() {
  TILLSYN_TRY(row, database_.query("SELECT state FROM resident_pause WHERE one = 1"));
  TILLSYN_TRY(found, row.step());
  const std::string state = found ? row.text(0) : std::string();
  if (state != kPaused && state != kGoesOn)
    return Error{Code::kIo, "store_fault", "the resident's pause on disk cannot be read"};
  return state == kPaused;
}

Result<void> Store::save_link_key(const LinkKeyNumber& key) {
  return database_.run(
      "INSERT INTO link_key VALUES(1, ?, ?) "
      "ON CONFLICT DO UPDATE SET point = excluded.point, n = excluded.n",
      key.point, key.n);
}

Result<std::optional<LinkKeyNumber>> Store::link_key() {
  TILLSYN_TRY(row, database_.query("SELECT point, n FROM link_key"));
  TILLSYN_TRY(found, row.step());
  if (!found) return std::optional<LinkKeyNumber>();
  TILLSYN_TRY(point, row.array<65>(0));
  return std::optional(LinkKeyNumber{point, row.integer(1)});
}

}  // namespace tillsyn::gate
