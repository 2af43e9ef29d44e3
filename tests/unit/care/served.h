#pragma once

#include <map>
#include <string>
#include <vector>

#include "relay/alarms/losses.h"
#include "tests/unit/care/town.h"

namespace tillsyn::town {

using orders::Verdict;

// A hub that is enrolled, with a whole home accepted at the relay.
struct Served : Town {
  Served() : hub("hub"), desk(*services) {
    hire();
    at = enrol(hub.device_key);
    home = maker.home_orders(hub.home(), hub.device_key.public_key());
    must_post(home[0]);
    must_post(home[1]);
    REQUIRE(desk.record(at, {{}, {}, {hub.countersign(home[1].hash)}, {}}).ok());
    for (std::size_t i = 2; i < home.size(); ++i) must_post(home[i]);
  }

  // Places in the list of what the hub is told, by order hash.
  std::map<std::string, std::size_t> told(const Json& status) {
    const auto work = desk.work_for(at, status);
    REQUIRE(work.ok());
    std::map<std::string, std::size_t> out;
    for (std::size_t i = 0; i < work->orders.size(); ++i)
      out[to_base64url(*orders::order_hash_in(work->orders[i]))] = i;
    return out;
  }
  void receive(const orders::Hash& order, Verdict::Kind verdict, std::optional<std::string> reason = {}) {
    REQUIRE(desk.record(at, {{}, {hub.receipt(order, verdict, std::move(reason))}, {}, {}}).ok());
  }
  orders::Order view(const std::string& challenge = "challenge", const std::string& name = "olle") {
    const Staff staff = maker.login(name, Role::kOperator);
    return maker.order(maker.view(hub.home(), fakes::p256_key("viewer").public_key(), fakes::bytes32(challenge),
                                  provider().book.head(hub.id(), hub.home().resident)),
                       {&staff});
  }
  // The hub's button is pressed at `at_time`, and the relay hears of it now.
  void press(const std::string& kind, Instant at_time) {
    auto event = hub.event(++events_, last_event_, kind);
    event.time = at_time;
    event.resident = hub.home().resident;
    last_event_ = TestHub::hash(event);
    REQUIRE(desk.record(at, {{}, {}, {}, {hub.seal(event)}}).ok());
  }
  // The hub was silent for long, and is back.
  void lose_and_find() {
    REQUIRE(alarms::judge_losses(provider(), {{hub.id(), {false, std::chrono::minutes(1), {}}}}, now).ok());
    REQUIRE(alarms::judge_losses(provider(), {{hub.id(), {true, {}, {}}}}, now).ok());
  }
  std::vector<orders::SlotEntry> slots() { return provider().book.slots(hub.id(), hub.home().resident); }
  orders::Person olle() { return maker.login("olle", Role::kOperator).person; }

  TestHub hub;
  hubs::Hub at;
  std::vector<orders::Order> home;
  api::HubDesk desk;

 private:
  std::int64_t events_ = 0;
  std::optional<orders::Hash> last_event_;
};

}  // namespace tillsyn::town
