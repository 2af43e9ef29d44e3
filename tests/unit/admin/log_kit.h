#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/ledger/checkpoint.h"
#include "common/ledger/entry.h"
#include "relay/admin/relay.h"
#include "tests/fakes/order_maker.h"

namespace tillsyn::admin {

// Texts of a log and a checkpoint signed over them by the test municipality's ledger key: what an honest relay holds,
// until a test bends it.
struct TestLog {
  std::string provider = fakes::OrderMaker::kProvider;
  std::string origin = "log.example/solna";
  std::vector<std::string> texts;

  void add(ledger::Entry entry, Instant time) {
    entry.seq = texts.size();
    entry.time = time;
    entry.provider = provider;
    texts.push_back(ledger::format_entry(entry));
  }

  void add_seen(const std::string& what, Instant time) {
    ledger::Entry entry;
    entry.what = what;
    add(entry, time);
  }

  void add_order(const orders::Order& order, Instant time) {
    texts.push_back(ledger::format_entry(*ledger::entry_for_order(order.payload_text, texts.size(), time)));
  }

  // Signed over the texts as they stand now, whatever they are.
  std::string note() const {
    ledger::Frontier tree;
    for (const auto& text : texts) tree.append(ledger::leaf_hash(view_of(text)));
    return *ledger::sign_checkpoint({origin, tree.size(), tree.root()}, fakes::ed25519_key("ledger"));
  }
};

// A relay in memory, honest unless its members are bent.
class FakeRelay : public Relay {
 public:
  TestLog log;
  std::optional<std::string> signed_note;  // instead of the log's
  std::vector<HandedOrder> handed;
  std::optional<Error> orders_fail;
  std::size_t page = 3;

  // Enters the order and hands it out.
  void accept(const orders::Order& order, Instant time) {
    handed.push_back({order.text, log.texts.size(), time, std::nullopt});
    log.add_order(order, time);
  }

  Result<std::string> checkpoint() override { return signed_note.value_or(log.note()); }

  Result<std::vector<std::string>> entries(std::uint64_t from, std::uint64_t count) override {
    std::vector<std::string> out;
    for (std::uint64_t i = from; i < log.texts.size() && out.size() < std::min<std::uint64_t>(count, page); ++i)
      out.push_back(log.texts[i]);
    return out;
  }

  Result<std::vector<HandedOrder>> orders() override {
    if (orders_fail) return *orders_fail;
    return handed;
  }
};

// Lends a relay that outlives the session.
class LentRelay : public Relay {
 public:
  explicit LentRelay(Relay& relay) : relay_(relay) {}
  Result<std::string> checkpoint() override { return relay_.checkpoint(); }
  Result<std::vector<std::string>> entries(std::uint64_t from, std::uint64_t count) override {
    return relay_.entries(from, count);
  }
  Result<std::vector<HandedOrder>> orders() override { return relay_.orders(); }

 private:
  Relay& relay_;
};

}  // namespace tillsyn::admin
