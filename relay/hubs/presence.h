#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "relay/hubs/desk.h"

namespace tillsyn::hubs {

// Absence, detected on the relay's clock: a hub of which nothing is heard for kLostAfter is lost, until it is heard
// again. Pure: no clock of its own. Threads: thread-bound.
class Presence {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kLostAfter{45};

  // A hub that is enrolled. It counts as heard now, so a relay that has just started finds out who stays away; until it
  // is heard in truth it is not online.
  void expect(const Hub& hub, Time now);

  enum class Heard { kStill, kFirst, kBack };
  // The hub has spoken. kBack: it was lost before. kFirst: it was not online, but not lost either.
  Heard heard(const Hub& hub, Time now);

  // The hubs that are lost from now on, each told once.
  std::vector<Hub> take_lost(Time now);

  bool is_online(const std::string& hub) const;

  // How long nothing has been heard of it, and for how long it has been online (0 unless it is).
  struct Silence {
    Hub hub;
    bool is_online = false;
    Time::duration silent{};
    Time::duration online_for{};
  };
  std::vector<Silence> silences(Time now) const;

 private:
  enum class State { kExpected, kOnline, kLost };
  struct Seen {
    Hub hub;
    Time at;
    State state = State::kExpected;
    Time online_since = {};
  };
  std::map<std::string, Seen> seen_;
};

}  // namespace tillsyn::hubs
