#include "relay/admin/export.h"

#include <catch2/catch.hpp>

#include "common/base/json.h"
#include "tests/unit/admin/log_kit.h"

namespace tillsyn::admin {
namespace {

const Instant kNow = *parse_instant("2026-11-22T20:15:00Z");

const orders::Provider& solna() {
  static const fakes::OrderMaker kMaker(kNow);
  return kMaker.root_list.providers.front();
}

// A night's log: every entry differs from every other, in more than its place.
TestLog night(std::size_t entries = 9) {
  TestLog log;
  log.add_seen("log_opened", kNow);
  for (std::size_t i = 1; i < entries; ++i) {
    ledger::Entry entry;
    entry.what = i % 2 == 0 ? "login" : "logout";
    entry.who = {{"https://id.solna.example", "person" + std::to_string(i)}};
    log.add(entry, kNow + std::chrono::minutes(i));
  }
  return log;
}

Export exported(const TestLog& log) { return {log.texts, log.note()}; }

Earlier earlier_of(const TestLog& log) { return *parse_earlier(format_export(exported(log)), solna()); }

// The texts as an attacker writes them who knows that places are checked: each numbered by where it stands.
Export renumbered(Export log) {
  for (std::size_t i = 0; i < log.entries.size(); ++i) {
    Json value = *parse_json(log.entries[i]);
    value["seq"] = i;
    log.entries[i] = canonical_json(value);
  }
  return log;
}

std::string failure(const Export& log, const std::optional<Earlier>& earlier = std::nullopt) {
  const auto verified = verify_export(log, solna(), earlier);
  return verified ? "" : verified.error().message;
}

std::string entry_name(std::size_t at) { return "entry " + std::to_string(at) + " "; }

bool names(const std::string& message, std::size_t at) { return message.find(entry_name(at)) != std::string::npos; }

TEST_CASE("an honest export verifies, and continues every earlier one", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  CHECK(failure(exported(log)).empty());
  for (std::size_t size = 1; size <= log.texts.size(); ++size)
    CHECK(failure(exported(log), earlier_of(night(size))).empty());
  const auto read = parse_export(format_export(exported(log)));
  REQUIRE(read.ok());
  CHECK(read->entries == log.texts);
  CHECK(read->note == log.note());
}

TEST_CASE("every single altered byte of an export is found", "[admin][AUD-1][AUD-2]") {
  const std::string good = format_export(exported(night(4)));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x01);
    const auto log = parse_export(bad);
    if (log && verify_export(*log, solna(), std::nullopt).ok()) FAIL("byte " << i << " of " << good.size());
  }
}

TEST_CASE("an altered entry is found, and named when an earlier export is at hand", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  for (std::size_t at = 1; at < log.texts.size(); ++at) {
    Export bad = exported(log);
    Json value = *parse_json(bad.entries[at]);
    value["who"][0]["person"] = "nobody";
    bad.entries[at] = canonical_json(value);
    CHECK_FALSE(failure(bad).empty());
    CHECK(names(failure(bad, earlier_of(log)), at));
    CHECK(failure(bad, earlier_of(log)).find("altered (who)") != std::string::npos);
  }
}

TEST_CASE("an entry that is not as the log writes entries is named without any help", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  for (std::size_t at = 0; at < log.texts.size(); ++at) {
    Export bad = exported(log);
    bad.entries[at].insert(1, " ");
    CHECK(names(failure(bad), at));
  }
}

TEST_CASE("a dropped entry is found, also when the rest is numbered anew", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  for (std::size_t at = 0; at < log.texts.size(); ++at) {
    Export bad = exported(log);
    bad.entries.erase(bad.entries.begin() + static_cast<std::ptrdiff_t>(at));
    if (at + 1 < log.texts.size()) CHECK(names(failure(bad), at));
    CHECK(failure(bad).find("dropped") != std::string::npos);
    CHECK(names(failure(renumbered(bad), earlier_of(log)), at));
    CHECK(failure(renumbered(bad), earlier_of(log)).find("dropped") != std::string::npos);
    CHECK_FALSE(failure(renumbered(bad)).empty());
  }
}

TEST_CASE("two entries that changed places are found, also when numbered anew", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  for (std::size_t at = 0; at + 1 < log.texts.size(); ++at) {
    Export bad = exported(log);
    std::swap(bad.entries[at], bad.entries[at + 1]);
    CHECK(names(failure(bad), at));
    CHECK(names(failure(renumbered(bad), earlier_of(log)), at));
    CHECK(failure(renumbered(bad), earlier_of(log)).find("moved") != std::string::npos);
    CHECK_FALSE(failure(renumbered(bad)).empty());
  }
}

TEST_CASE("an inserted entry is found, also when the rest is numbered anew", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  for (std::size_t at = 0; at <= log.texts.size(); ++at) {
    TestLog other = night(at + 1);
    other.texts.pop_back();
    ledger::Entry made_up;
    made_up.what = "login_refused";
    other.add(made_up, kNow + std::chrono::minutes(at));
    Export bad = exported(log);
    bad.entries.insert(bad.entries.begin() + static_cast<std::ptrdiff_t>(at), other.texts.back());
    CHECK(failure(bad).find("inserted") != std::string::npos);
    CHECK_FALSE(failure(renumbered(bad)).empty());
    if (at == log.texts.size()) continue;
    CHECK(names(failure(renumbered(bad), earlier_of(log)), at));
    CHECK(failure(renumbered(bad), earlier_of(log)).find("inserted") != std::string::npos);
  }
}

TEST_CASE("a back-dated entry is found and named, whether times go back or not", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  for (std::size_t at = 1; at < log.texts.size(); ++at) {
    for (const auto back : {std::chrono::seconds(30), std::chrono::seconds(24 * 3600)}) {
      Export bad = exported(log);
      Json value = *parse_json(bad.entries[at]);
      value["time"] = format_instant(kNow + std::chrono::minutes(at) - back);
      bad.entries[at] = canonical_json(value);
      CHECK_FALSE(failure(bad).empty());
      if (back > std::chrono::hours(1)) CHECK(names(failure(bad), at));
      CHECK(names(failure(bad, earlier_of(log)), at));
      CHECK(failure(bad, earlier_of(log)).find("back-dated") != std::string::npos);
    }
  }
}

TEST_CASE("whoever has the log's key cannot write a past that an earlier checkpoint knows otherwise",
          "[admin][AUD-1]") {
  const TestLog log = night();
  for (std::size_t at = 0; at < log.texts.size(); ++at) {
    TestLog rewritten = log;
    Json value = *parse_json(rewritten.texts[at]);
    value["what"] = "login_refused";
    rewritten.texts[at] = canonical_json(value);
    const Export signed_anew = exported(rewritten);
    CHECK(failure(signed_anew).empty());
    for (std::size_t known = at + 1; known <= log.texts.size(); ++known) {
      const auto note = parse_earlier(night(known).note(), solna());
      REQUIRE(note.ok());
      CHECK(failure(signed_anew, *note).find("the past was changed") != std::string::npos);
      CHECK(names(failure(signed_anew, earlier_of(night(known))), at));
    }
  }
}

TEST_CASE("a log that was cut short is found by an earlier checkpoint", "[admin][AUD-1]") {
  const auto note = parse_earlier(night(9).note(), solna());
  REQUIRE(note.ok());
  CHECK(failure(exported(night(5)), *note).find("the last were dropped") != std::string::npos);
  CHECK(names(failure(exported(night(5)), earlier_of(night(9))), 5));
}

// A copy as the relay writes one: a checkpoint after each of its parts.
std::string copied(const TestLog& log, const std::vector<std::size_t>& parts) {
  std::string out;
  std::size_t at = 0;
  for (const std::size_t size : parts) {
    for (; at < size; ++at) out += log.texts[at] + "\n";
    out += format_export_end(night(size).note());
  }
  return out;
}

TEST_CASE("a copy with checkpoints on the way verifies, and each says where it is wrong", "[admin][AUD-1][AUD-2]") {
  const TestLog log = night();
  const std::string good = copied(log, {2, 3, 7, 9});
  const auto whole = parse_export(good);
  REQUIRE(whole.ok());
  CHECK(whole->entries == log.texts);
  CHECK(whole->on_the_way.size() == 3);
  CHECK(failure(*whole).empty());
  CHECK(failure(*whole, earlier_of(night(4))).empty());

  Export bad = *whole;
  Json value = *parse_json(bad.entries[4]);
  value["what"] = "logout_other";
  bad.entries[4] = canonical_json(value);
  CHECK(failure(bad).find("of the entries 3 to 7 ") != std::string::npos);
  bad = *whole;
  bad.on_the_way[1].note = bad.on_the_way[0].note;
  CHECK_FALSE(failure(bad).empty());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string altered = good;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    const auto read = parse_export(altered);
    if (read && verify_export(*read, solna(), std::nullopt).ok()) FAIL("byte " << i << " of " << good.size());
  }
}

TEST_CASE("a checkpoint of another log, or over other entries, vouches for nothing", "[admin][AUD-2]") {
  TestLog other = night();
  other.origin = "log.example/other";
  CHECK(failure({night().texts, other.note()}).find("not one that the log") != std::string::npos);
  CHECK_FALSE(failure({night().texts, night(8).note()}).empty());
  CHECK_FALSE(failure({night().texts, night(10).note()}).empty());
  CHECK_FALSE(failure({night().texts, "nothing"}).empty());
}

TEST_CASE("another provider's entries are no part of the log", "[admin][AUD-2]") {
  TestLog log = night();
  log.provider = "elsewhere";
  log.add_seen("login", kNow + std::chrono::hours(1));
  CHECK(names(failure(exported(log)), 9));
}

TEST_CASE("an export that was cut off says so", "[admin][AUD-2]") {
  const std::string good = format_export(exported(night()));
  const std::string no_checkpoint = good.substr(0, good.rfind('\n', good.size() - 2) + 1);
  for (const auto& bad : {std::string(), good.substr(0, good.size() - 1), good.substr(0, good.size() / 2),
                          no_checkpoint, std::string("\n")}) {
    const auto read = parse_export(bad);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().message.find("cut off") != std::string::npos);
  }
}

TEST_CASE("an earlier export that does not verify itself is no witness", "[admin][AUD-2]") {
  Export bad = exported(night());
  bad.entries.pop_back();
  CHECK_FALSE(parse_earlier(format_export(bad), solna()).ok());
  CHECK_FALSE(parse_earlier("", solna()).ok());
  CHECK_FALSE(parse_earlier("{}\n", solna()).ok());
}

TEST_CASE("the table shows when, what, who and why, and lets nobody steer the terminal", "[admin][AUD-2]") {
  TestLog log = night(2);
  ledger::Entry entry;
  entry.kind = ledger::EntryKind::kOrder;
  entry.what = "view";
  entry.who = {{"https://id.solna.example", "\x1b[2Jåsa"}};
  entry.hub = to_base64url(fakes::bytes32("hub"));
  entry.reason = "outside_window";
  log.add(entry, kNow + std::chrono::hours(1));
  const auto table = format_table(exported(log));
  REQUIRE(table.ok());
  CHECK(table->find("2026-11-22T21:15:00Z  order view  ?[2Jåsa") != std::string::npos);
  CHECK(table->find(entry.hub->substr(0, 8)) != std::string::npos);
  CHECK(table->find(*entry.hub) == std::string::npos);
  CHECK(table->find("outside_window") != std::string::npos);
  CHECK_FALSE(format_table({{"{}"}, log.note()}).ok());
}

}  // namespace
}  // namespace tillsyn::admin
