#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/orders/device_documents.h"
#include "firmware/board/clock.h"
#include "firmware/board/key_store.h"
#include "firmware/gate/challenges.h"
#include "firmware/gate/guard.h"
#include "firmware/gate/order_desk.h"

namespace tillsyn::gate {

// The texts that the gate writes about itself. Threads: reentrant, all here.

struct StatusFacts {
  const OrderDesk& desk;
  const Trust& trust;
  std::string hub;
  board::ClockReading clock;
  orders::LogPoint log_seen;
  std::int64_t events = 0;
  std::int64_t events_acknowledged = 0;
  std::size_t views = 0;
  std::vector<std::string> faults;
};

// PROTOCOL.md, "status", as JSON text. What differs between two calls but for challenge, mono and event numbers is
// worth telling the relay at once: `without_passing` leaves these out.
std::string status_text(const StatusFacts& facts, const Challenge& challenge);
std::string status_without_passing(const StatusFacts& facts);

// PROTOCOL.md, "answer", closed: `order` is a view's.
orders::Answer answer_to(const orders::Order& order, const OrderDesk& desk, const Trust& trust, const std::string& hub,
                         const board::ClockReading& arrival);

Result<Document> sealed_answer(const orders::Answer& answer, const board::KeyStore& keys);

// [{"host","ca"}] of the root list in force.
std::string relays_text(const orders::RootList& list);

}  // namespace tillsyn::gate
