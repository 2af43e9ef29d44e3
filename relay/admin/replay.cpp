#include "relay/admin/replay.h"

#include <algorithm>

namespace tillsyn::admin {
namespace {

constexpr std::uint64_t kPage = 1000;

Error wrong(const std::string& message) { return refused("log", message); }
std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

Result<void> Replay::add(std::string_view text) {
  const auto entry = ledger::parse_entry(text);
  if (!entry)
    return wrong("entry " + number(size()) + " is not as the log writes entries: altered (" + entry.error().message +
                 ")");
  TILLSYN_CHECK(check_place(*entry));
  leaves_.push_back(ledger::leaf_hash(view_of(text)));
  times_.push_back(entry->time);
  if (entry->kind == ledger::EntryKind::kOrder) orders_.push_back(*entry);
  return {};
}

Result<void> Replay::check_place(const ledger::Entry& entry) const {
  const std::uint64_t place = size();
  if (entry.seq > place)
    return wrong("where entry " + number(place) + " should be stands entry " + number(entry.seq) +
                 ": dropped, or moved");
  if (entry.seq < place)
    return wrong("where entry " + number(place) + " should be stands entry " + number(entry.seq) +
                 " again: inserted, or moved");
  if (entry.provider != provider_) return wrong("entry " + number(place) + " is another provider's: inserted");
  if (place > 0 && entry.time < times_.back())
    return wrong("entry " + number(place) + " is dated " + format_instant(entry.time) +
                 ", before the entry ahead of it (" + format_instant(times_.back()) + "): back-dated");
  return {};
}

Result<void> Replay::check_against(const ledger::Checkpoint& claimed) const {
  if (claimed.size > size())
    return wrong("the checkpoint was signed over " + number(claimed.size) + " entries and there are " + number(size()) +
                 ": the last ones were dropped");
  if (claimed.size < size() && root_of_first(claimed.size) == claimed.root)
    return wrong("entry " + number(claimed.size) + " is not among the " + number(claimed.size) +
                 " that the checkpoint was signed over: inserted");
  if (claimed.size < size())
    return wrong("the checkpoint was signed over " + number(claimed.size) + " entries and there are " + number(size()) +
                 ": entries were inserted");
  if (root_of_first(size()) != claimed.root)
    return wrong("these are not the " + number(size()) +
                 " entries that the checkpoint was signed over: at least one was altered, exchanged or dated anew");
  return {};
}

ledger::Hash Replay::root_of_first(std::uint64_t size) const {
  ledger::Frontier frontier;
  for (std::uint64_t i = 0; i < size; ++i) frontier.append(leaves_[i]);
  return frontier.root();
}

Result<void> check_continues(const Replay& replay, const ledger::Checkpoint& earlier) {
  if (earlier.size > replay.size())
    return wrong("it had " + number(earlier.size) + " entries before and has " + number(replay.size()) +
                 " now: the last were dropped");
  if (replay.root_of_first(earlier.size) != earlier.root)
    return wrong("its first " + number(earlier.size) +
                 " entries are not those that it had before: the past was changed");
  return {};
}

Result<void> read_entries(Relay& relay, std::uint64_t size, const std::function<Result<void>(std::string_view)>& take) {
  for (std::uint64_t next = 0; next < size;) {
    TILLSYN_TRY(texts, relay.entries(next, std::min(kPage, size - next)));
    if (texts.empty() || texts.size() > size - next) return wrong("the relay hands out no entry " + number(next));
    for (const std::string& text : texts) TILLSYN_CHECK(take(text));
    next += texts.size();
  }
  return {};
}

Result<ReplayedLog> replay_log(Relay& relay, const orders::Provider& provider) {
  TILLSYN_TRY(note, relay.checkpoint());
  const auto claimed = ledger::open_checkpoint(note, provider.ledger_key);
  if (!claimed) return wrong("its checkpoint is not signed by this log's key");
  Replay replay(provider.id);
  TILLSYN_CHECK(read_entries(relay, claimed->size, [&](std::string_view text) { return replay.add(text); }));
  TILLSYN_CHECK(replay.check_against(*claimed));
  return ReplayedLog{std::move(note), *claimed, std::move(replay)};
}

}  // namespace tillsyn::admin
