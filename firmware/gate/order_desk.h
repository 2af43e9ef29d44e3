#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/orders/order_book.h"
#include "firmware/board/clock.h"
#include "firmware/board/key_store.h"
#include "firmware/gate/event_log.h"
#include "firmware/gate/guard.h"
#include "firmware/gate/resident_pause.h"
#include "firmware/gate/store.h"
#include "firmware/gate/trust.h"
#include "firmware/ipc/messages.h"

namespace tillsyn::gate {

// Something signed that the relay is to have.
struct Document {
  ipc::MessageType type;
  std::string text;
};

// An installer's hand on the hub's button: good for one order within two minutes. Threads: thread-bound.
class Presence {
 public:
  static constexpr std::chrono::milliseconds kLife{120'000};

  void held(std::chrono::milliseconds boot) { held_at_ = boot; }
  bool is_there(std::chrono::milliseconds boot) const { return held_at_ && boot - *held_at_ < kLife; }
  void use() { held_at_.reset(); }

 private:
  std::optional<std::chrono::milliseconds> held_at_;
};

// Takes orders as they arrive, judges them, keeps those that stand and those that wait, and answers each with a
// receipt. An order is on disk, with its event, before its receipt exists.
//
// Until a `device` order names this hub, orders of any listed provider are held by provider; then those of the others
// are forgotten. Acts come with an offer; here they are refused "type_not_supported".
//
// Every failure is kIo: the owner opens store and desk anew. Threads: thread-bound.
class OrderDesk {
 public:
  struct Parts {
    Store& store;
    EventLog& log;
    Trust& trust;
    const board::KeyStore& keys;
    const ResidentPause& pause;
  };

  // Borrows the parts.
  static constexpr std::chrono::milliseconds kJudgeTurn{300};

  explicit OrderDesk(Parts parts) : parts_(parts) {}

  // Begins with the orders on disk. To be called once, first.
  Result<void> load();

  // An order from link, whatever it is.
  Result<std::vector<Document>> take(std::string_view text, const board::ClockReading& clock,
                                     std::chrono::milliseconds boot);

  // Judges again what waits; to be called when anything has arrived that it may have waited for. Receipts of those
  // whose verdict is another now. A device key may be slow to sign them: it stops after a while, and has_more_to_judge.
  Result<std::vector<Document>> judge_waiting(const board::ClockReading& clock, std::chrono::milliseconds boot);

  bool has_more_to_judge() const { return has_more_; }

  Presence& presence() { return presence_; }

  // The orders of the hub's provider; empty until the hub has one.
  const orders::OrderBook& book() const;
  Standing standing() const {
    return {parts_.keys.hub(), book(), parts_.trust.root_list(), parts_.trust.bundle(), parts_.pause.holds()};
  }
  const orders::Assignment* assignment() const { return book().assignment_of(parts_.keys.hub()); }
  std::vector<orders::SlotEntry> slots() const;
  orders::Hash head() const { return orders::head_of(slots()); }

  // The release that has taken the hub out of service, while no new assignment has taken its place; else null.
  const orders::Order* release() const;

  // "factory", "enrolled", "assigned", "accepted", "released": derived from the orders.
  const char* state() const;

 private:
  using Documents = std::vector<Document>;

  void hold(orders::Order order);
  orders::Verdict judge(const orders::Order& order, const board::ClockReading& clock,
                        std::chrono::milliseconds boot) const;
  orders::Verdict judge_by_rules(const orders::Order& order, const board::ClockReading& clock) const;
  orders::Verdict check_resident(const orders::Order& order) const;
  Result<Documents> settle(orders::Order order, const orders::Verdict& verdict, const board::ClockReading& clock);
  Result<Documents> accept(orders::Order order, const board::ClockReading& clock);
  Result<Documents> accepted_before(const orders::Order& order, const board::ClockReading& clock);
  Result<Documents> not_accepted(const orders::Hash& hash, std::string_view text, const orders::Event& event,
                                 const orders::Verdict& verdict, const board::ClockReading& clock);
  Result<Documents> unreadable(std::string_view text, const Error& error, const board::ClockReading& clock);
  Result<Document> receipt(const orders::Hash& order, const orders::Verdict& verdict,
                           const board::ClockReading& clock) const;
  Result<Document> countersign(const orders::Hash& order, const board::ClockReading& clock) const;

  Parts parts_;
  Presence presence_;
  std::optional<std::string> provider_;
  std::map<std::string, orders::OrderBook, std::less<>> books_;
  std::map<orders::Hash, std::string> told_;  // the reason last given for what waits
  bool has_more_ = false;
};

}  // namespace tillsyn::gate
