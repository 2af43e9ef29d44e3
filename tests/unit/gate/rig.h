#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ledger/checkpoint.h"
#include "common/ledger/tree.h"
#include "firmware/board/clock.h"
#include "firmware/board/key_store.h"
#include "firmware/gate/home.h"
#include "tests/fakes/order_maker.h"

// What the gate's tests share: a municipality with its log, and a clock that stands still until told.
namespace tillsyn::gate_test {

class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A REQUIRE that gives the value.
template <typename T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().reason + ": " + result.error().message);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result) FAIL(result.error().reason + ": " + result.error().message);
}

// A clock source that says what it is told.
class HandClock : public board::ClockSource {
 public:
  explicit HandClock(Instant utc) { now.utc = utc, now.mono = std::chrono::hours(1), now.synchronised = true; }
  board::ClockSample sample() override { return now; }

  board::ClockSample now;
};

// The provider's log as the relay keeps it: every order that is offered is entered first.
class RelayLog {
 public:
  explicit RelayLog(const fakes::OrderMaker& maker) : maker_(maker) {}

  // Enters something else, so that the log grows.
  void grow(int entries);

  // Enters the order; its number.
  std::uint64_t enter(const orders::Order& order);

  ledger::Checkpoint checkpoint() const;
  std::string note() const;

  // The offer of an order that was entered at `seq`, with all three proofs from `hub`, its own checkpoint, and
  // `bundle`.
  Json offer(const orders::Order& order, std::uint64_t seq, const orders::LogPoint& hub,
             const orders::LogPoint& bundle = {}) const;

  orders::LogPoint point() const { return {checkpoint().size, checkpoint().root}; }

  ledger::MemoryTree tree;

 private:
  const fakes::OrderMaker& maker_;
  int grown_ = 0;
};

// A hub's inside without programs: store, trust, orders and key in a folder, and a clock in hand.
class HubInside {
 public:
  explicit HubInside(Instant now);

  board::ClockReading read() { return clock->read(); }
  // Opens everything anew from disk.
  void reopen();
  // Moves both clocks.
  void pass(std::chrono::milliseconds time);

  // Takes root list, bundle, staff and a home whose window is open now for `minutes`, accepted and all.
  void settle(std::chrono::minutes window);
  // Hands an order over; the receipt's verdict and reason, "accepted" alone or "refused no_grant".
  std::string take(const orders::Order& order);
  std::string take(const std::string& text);

  std::vector<orders::Event> events();
  std::vector<std::string> event_kinds();

  Folder folder;
  fakes::OrderMaker maker;
  RelayLog log;
  std::unique_ptr<board::KeyStore> keys;
  HandClock* hand = nullptr;  // owned by `clock`
  std::unique_ptr<board::Clock> clock;
  std::unique_ptr<gate::Home> inside;
  fakes::Home home;
  std::chrono::milliseconds boot{std::chrono::hours(1)};
  std::vector<orders::Order> home_orders;  // device, assignment, acceptance, consent, schedule
  std::vector<gate::Document> said;        // by the last take
};

}  // namespace tillsyn::gate_test
