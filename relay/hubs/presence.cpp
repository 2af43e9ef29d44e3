#include "relay/hubs/presence.h"

namespace tillsyn::hubs {

void Presence::expect(const Hub& hub, Time now) { seen_.try_emplace(hub.id, Seen{hub, now}); }

Presence::Heard Presence::heard(const Hub& hub, Time now) {
  expect(hub, now);
  Seen& seen = seen_.at(hub.id);
  const State before = seen.state;
  seen = {hub, now, State::kOnline, before == State::kOnline ? seen.online_since : now};
  if (before == State::kOnline) return Heard::kStill;
  return before == State::kLost ? Heard::kBack : Heard::kFirst;
}

std::vector<Hub> Presence::take_lost(Time now) {
  std::vector<Hub> lost;
  for (auto& [id, seen] : seen_) {
    if (seen.state == State::kLost || now - seen.at < kLostAfter) continue;
    seen.state = State::kLost;
    lost.push_back(seen.hub);
  }
  return lost;
}

std::vector<Presence::Silence> Presence::silences(Time now) const {
  std::vector<Silence> out;
  for (const auto& [id, seen] : seen_) {
    const bool online = seen.state == State::kOnline;
    out.push_back({seen.hub, online, now - seen.at, online ? now - seen.online_since : Time::duration()});
  }
  return out;
}

bool Presence::is_online(const std::string& hub) const {
  const auto found = seen_.find(hub);
  return found != seen_.end() && found->second.state == State::kOnline;
}

}  // namespace tillsyn::hubs
