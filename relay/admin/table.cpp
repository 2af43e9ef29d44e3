#include <algorithm>
#include <array>

#include "common/ledger/entry.h"
#include "relay/admin/export.h"

namespace tillsyn::admin {
namespace {

constexpr std::size_t kColumns = 7;
constexpr std::size_t kShort = 8;
using Row = std::array<std::string, kColumns>;

// What a name brings along must not steer the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; }, '?');
  return text;
}

std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string shortened(const std::optional<std::string>& id) { return id ? id->substr(0, kShort) : "-"; }

std::string people(const ledger::Entry& entry) {
  std::string out;
  for (const auto& person : entry.who) out += (out.empty() ? "" : " + ") + person.person;
  return out.empty() ? "-" : printable(out);
}

Row row_of(const ledger::Entry& entry) {
  static constexpr std::array<const char*, 6> kKinds = {"order", "answer", "receipt", "event", "countersign", ""};
  const std::string kind = kKinds[static_cast<std::size_t>(entry.kind)];
  return {std::to_string(entry.seq),
          format_instant(entry.time),
          kind.empty() ? entry.what : kind + " " + entry.what,
          people(entry),
          shortened(entry.hub),
          shortened(entry.resident),
          printable(entry.reason.value_or("-"))};
}

std::string lines_of(const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < kColumns; ++i) out += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
    out += row.back() + "\n";
  }
  return out;
}

}  // namespace

Result<std::string> format_table(const Export& log) {
  std::vector<Row> rows = {{"no", "time", "what", "who", "hub", "resident", "reason"}};
  for (const auto& text : log.entries) {
    const auto entry = ledger::parse_entry(text);
    if (!entry)
      return entry.error().within("line " + std::to_string(rows.size()) + " is no log entry: run 'ledger verify'");
    rows.push_back(row_of(*entry));
  }
  return lines_of(rows);
}

}  // namespace tillsyn::admin
