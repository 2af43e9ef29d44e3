#include "relay/admin/export.h"

#include <algorithm>

#include "common/base/json.h"
#include "relay/admin/replay.h"

namespace tillsyn::admin {
namespace {

Error wrong(const std::string& message) { return refused("log", message); }

constexpr std::string_view kCheckpointLine = "{\"checkpoint\":";

Result<std::string> read_note(const std::string& line) {
  const auto value = parse_json(line, {2 * ledger::kMaxNoteBytes, 2});
  if (!value || !value->is_object() || value->size() != 1 || !value->contains("checkpoint"))
    return wrong("the export does not end with its checkpoint: it was cut off; export again");
  JsonReader in(*value, "the line of a checkpoint");
  std::string note = in.text("checkpoint", ledger::kMaxNoteBytes);
  TILLSYN_CHECK(in.finish());
  return note;
}

// The entry's text without what says where it stands.
Json bare(const std::string& text) {
  auto value = parse_json(text);
  if (!value || !value->is_object()) return text;
  value->erase("seq");
  return *value;
}

bool same_but_place(const std::string& a, const std::string& b) { return a == b || bare(a) == bare(b); }

// The members in which two entries differ.
std::string differences(const std::string& was, const std::string& is) {
  const Json before = bare(was);
  const Json after = bare(is);
  if (!before.is_object() || !after.is_object()) return "altered";
  std::string out;
  for (auto it = before.begin(); it != before.end(); ++it) {
    const auto other = after.find(it.key());
    if (other == after.end() || *other != *it) out += (out.empty() ? "" : ", ") + it.key();
  }
  if (out == "time") return after.value("time", "") < before.value("time", "") ? "back-dated" : "dated later";
  return out.empty() ? "altered" : "altered (" + out + ")";
}

// What happened at `at`, the first place where the two part.
std::string what_happened(const std::vector<std::string>& was, const std::vector<std::string>& is, std::size_t at) {
  if (at == is.size()) return "dropped, with all after it";
  if (same_but_place(was[at], is[at])) return "altered (seq)";
  const bool was_later = at + 1 < was.size() && same_but_place(was[at + 1], is[at]);
  const bool came_before = at + 1 < is.size() && same_but_place(is[at + 1], was[at]);
  if (was_later && came_before) return "moved: it changed places with the next";
  if (was_later) return "dropped";
  if (came_before) return "not of this log: inserted";
  const auto found =
      std::find_if(is.begin(), is.end(), [&](const std::string& text) { return same_but_place(text, was[at]); });
  if (found != is.end()) return "moved to where entry " + std::to_string(found - is.begin()) + " stands";
  return differences(was[at], is[at]);
}

Result<void> check_against_entries(const Export& log, const std::vector<std::string>& earlier) {
  for (std::size_t at = 0; at < earlier.size(); ++at)
    if (at == log.entries.size() || log.entries[at] != earlier[at])
      return wrong("entry " + std::to_string(at) + " is " + what_happened(earlier, log.entries, at));
  return {};
}

Result<Replay> replay_entries(const Export& log, const orders::Provider& provider) {
  Replay replay(provider.id);
  for (const auto& text : log.entries) TILLSYN_CHECK(replay.add(text));
  return replay;
}

Error not_signed(const orders::Provider& provider) {
  return wrong("the checkpoint is not one that the log " + provider.ledger_key.name +
               " signed: it was altered, or is another log's");
}

// The first checkpoint that does not fit tells between which entries something was changed.
Result<void> check_on_the_way(const Export& log, const Replay& replay, const orders::Provider& provider) {
  ledger::Frontier entries;
  for (const auto& [size, note] : log.on_the_way) {
    const std::uint64_t sure = entries.size();
    while (entries.size() < size) entries.append(replay.leaves()[entries.size()]);
    const auto claimed = ledger::open_checkpoint(note, provider.ledger_key);
    if (!claimed) return not_signed(provider);
    if (claimed->size != size || claimed->root != entries.root())
      return wrong("of the entries " + std::to_string(sure) + " to " + std::to_string(size) +
                   " at least one is not as the log signed it: altered, dropped, inserted or moved");
  }
  return {};
}

}  // namespace

std::string format_export_end(const std::string& note) { return canonical_json({{"checkpoint", note}}) + "\n"; }

std::string format_export(const Export& log) {
  std::string out;
  for (const auto& text : log.entries) out += text + "\n";
  return out + format_export_end(log.note);
}

Result<Export> parse_export(std::string_view text) {
  if (text.empty() || text.back() != '\n')
    return wrong("the export does not end with a whole line: it was cut off; export again");
  Export out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line(text.substr(begin, end - begin));
    begin = end + 1;
    if (begin < text.size() && !line.starts_with(kCheckpointLine)) {
      out.entries.push_back(line);
      continue;
    }
    TILLSYN_TRY(note, read_note(line));
    if (begin < text.size()) {
      out.on_the_way.push_back({out.entries.size(), std::move(note)});
    } else {
      out.note = std::move(note);
    }
  }
  return out;
}

Result<ledger::Checkpoint> verify_export(const Export& log, const orders::Provider& provider,
                                         const std::optional<Earlier>& earlier) {
  if (earlier) TILLSYN_CHECK(check_against_entries(log, earlier->entries));
  TILLSYN_TRY(replay, replay_entries(log, provider));
  const auto checkpoint = ledger::open_checkpoint(log.note, provider.ledger_key);
  if (!checkpoint) return not_signed(provider);
  TILLSYN_CHECK(check_on_the_way(log, replay, provider));
  TILLSYN_CHECK(replay.check_against(*checkpoint));
  if (earlier) TILLSYN_CHECK(check_continues(replay, earlier->checkpoint));
  return *checkpoint;
}

Result<Earlier> parse_earlier(std::string_view text, const orders::Provider& provider) {
  if (const auto checkpoint = ledger::open_checkpoint(text, provider.ledger_key)) return Earlier{*checkpoint, {}};
  TILLSYN_TRY(log, parse_export(text));
  TILLSYN_TRY(checkpoint, verify_export(log, provider, std::nullopt));
  return Earlier{checkpoint, std::move(log.entries)};
}

}  // namespace tillsyn::admin
