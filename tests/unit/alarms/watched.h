#pragma once

#include <algorithm>

#include "common/orders/bindings.h"
#include "relay/alarms/losses.h"
#include "relay/alarms/maintenance.h"
#include "relay/alarms/watch.h"
#include "relay/webhooks/queue.h"
#include "tests/unit/care/served.h"

namespace tillsyn::town {

using alarms::Alarm;
using alarms::Hearing;
using orders::OutcomeKind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline const Instant kStart = *parse_instant("2026-11-22T21:30:00Z");  // of the window w1 on the 22nd
inline const Instant kEnd = kStart + minutes(15);

// The home of served.h, and the watch over it. Its hub is heard, and has confirmed everything.
struct Watched : Served {
  Watched() {
    for (const auto& order : home) receive(order.hash, Verdict::Kind::kAccepted);
    hears({{hub.id(), online()}});
    look();
  }

  static alarms::Heard online(std::chrono::milliseconds online_for = hours(5)) {
    return {true, seconds(3), online_for};
  }
  static alarms::Heard silent(std::chrono::milliseconds silent_for) { return {false, silent_for, {}}; }
  void hears(Hearing hearing) { services->watch(provider()).hear(std::move(hearing)); }
  void hears_of_copy(alarms::CopyHeard copy) { services->watch(provider()).hear_of_copy(std::move(copy)); }
  void at_time(Instant instant) { now = maker.now = instant; }

  bool look() {
    const auto changed = services->watch(provider()).evaluate(now);
    REQUIRE(changed.ok());
    return *changed;
  }
  // Time goes by, and the relay looks every minute.
  void go_to(Instant instant) {
    while (now < instant) {
      at_time(std::min<Instant>(now + minutes(1), instant));
      look();
    }
  }
  std::vector<Alarm> open() {
    const auto found = services->watch(provider()).open();
    REQUIRE(found.ok());
    return *found;
  }
  std::vector<std::string> kinds() {
    std::vector<std::string> out;
    for (const auto& alarm : open()) out.push_back(alarm.about.kind);
    std::sort(out.begin(), out.end());
    return out;
  }
  Alarm only(const std::string& kind) {
    const auto found = open();
    REQUIRE(kinds() == std::vector<std::string>{kind});
    return found.front();
  }
  // How often this stands in the log, of this kind.
  long entries(const std::string& what, const std::optional<std::string>& reason = {}) {
    const auto all = log();
    return std::count_if(all.begin(), all.end(),
                         [&](const auto& entry) { return entry.what == what && (!reason || entry.reason == reason); });
  }
  void sign(OutcomeKind kind) {
    const Staff olle = maker.login("olle", Role::kOperator);
    orders::Outcome body;
    body.kind = kind;
    body.resident = hub.home().resident;
    body.group = hub.home().group;
    body.window = {"w1", *civil::parse_date("2026-11-22")};
    if (kind == OutcomeKind::kCompleted || kind == OutcomeKind::kNotSeen) {
      body.answer = orders::Hash{};
    } else {
      body.reason = "no picture";
    }
    must_post(maker.order(body, {&olle}));
  }
  void release() {
    const Staff inga = maker.login("inga", Role::kInstaller);
    const Staff carin = maker.login("carin", Role::kCareManager);
    const auto at_home = hub.home();
    const auto order = maker.successor(
        home[1], orders::Release{at_home.hub, at_home.resident, at_home.home, at_home.group, "moved"}, {&inga, &carin});
    must_post(order);
    receive(order.hash, Verdict::Kind::kAccepted);
  }
  void replace_schedule(const std::function<void(civil::Schedule&)>& change) {
    const Staff pia = maker.login("pia", Role::kPlanner);
    const Staff per = maker.login("per", Role::kPlanner);
    auto body = OrderMaker::schedule(hub.home());
    change(body.schedule);
    home[4] = maker.successor(home[4], body, {&pia, &per});
    must_post(home[4]);
    receive(home[4].hash, Verdict::Kind::kAccepted);
  }
  // Further homes in a group, by their hubs.
  std::vector<std::string> more_homes(const std::string& group, int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      const TestHub other(group + std::to_string(i));
      Home place = other.home();
      place.resident = fakes::random_id("resident of " + other.id());
      place.home = fakes::random_id("home of " + other.id());
      place.group = group;
      const auto at_it = enrol(other.device_key);
      const Staff tore = maker.login("tore", Role::kTechnician);
      const Staff inga = maker.login("inga", Role::kInstaller);
      const auto device = maker.order(OrderMaker::device(other.device_key.public_key()), {&tore});
      const auto assignment = maker.order(OrderMaker::assignment(place), {&inga});
      must_post(device);
      must_post(assignment);
      REQUIRE(desk.record(at_it, {{}, {}, {other.countersign(assignment.hash)}, {}}).ok());
      ids.push_back(other.id());
    }
    return ids;
  }
  orders::Person person(const std::string& name) { return maker.login(name, Role::kOperator).person; }
};

}  // namespace tillsyn::town
