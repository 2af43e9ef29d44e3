#include "relay/http/turns.h"

#include <algorithm>

namespace tillsyn::http {

namespace {

constexpr double kLeastUse = 20e-6;  // seconds: a job that takes no time at all has still had a turn

std::size_t lane_of(Urgency urgency) { return static_cast<std::size_t>(urgency) - 1; }

}  // namespace

void Turns::Lane::add(const std::string& caller, Task task) {
  auto& waiting = callers[caller];
  if (waiting.empty()) order.push_back(caller);
  waiting.push_back(std::move(task));
}

std::pair<std::string, Turns::Task> Turns::Lane::take() {
  const auto first = callers.find(order.front());
  order.pop_front();
  std::pair<std::string, Task> taken(first->first, std::move(first->second.front()));
  first->second.pop_front();
  if (first->second.empty()) {
    callers.erase(first);
  } else {
    order.push_back(taken.first);
  }
  return taken;
}

void Turns::add(const Share& share, Task task) {
  ++waiting_;
  if (share.urgency == Urgency::kOwn) return own_.push_back(std::move(task));
  Provider& provider = providers_[share.provider];
  if (provider.waiting++ == 0) provider.used = std::max(provider.used, reached_);
  Lane& lane = provider.lanes[lane_of(share.urgency)];
  if (!lane.is_waiting()) lane.used = std::max(lane.used, provider.reached);
  lane.add(share.caller, std::move(task));
}

Turns::Providers::iterator Turns::next_provider() {
  auto next = providers_.end();
  for (auto one = providers_.begin(); one != providers_.end(); ++one) {
    const bool may = one->second.waiting > 0 && one->second.under_way < most_at_once_;
    if (may && (next == providers_.end() || one->second.used < next->second.used)) next = one;
  }
  return next;
}

Turns::Turn Turns::take_own() {
  --waiting_;
  Turn turn{Share(), std::move(own_.front())};
  own_.pop_front();
  return turn;
}

std::optional<Turns::Turn> Turns::take() {
  if (!own_.empty()) return take_own();
  const auto next = next_provider();
  if (next == providers_.end()) return std::nullopt;
  auto& [name, provider] = *next;
  const auto lane = std::min_element(provider.lanes.begin(), provider.lanes.end(), [](const Lane& a, const Lane& b) {
    return a.is_waiting() != b.is_waiting() ? a.is_waiting() : a.used < b.used;
  });
  reached_ = provider.used;
  provider.reached = lane->used;
  --provider.waiting;
  ++provider.under_way;
  --waiting_;
  auto [caller, task] = lane->take();
  const auto urgency = static_cast<Urgency>(lane - provider.lanes.begin() + 1);
  return Turn{Share(urgency, name, std::move(caller)), std::move(task)};
}

void Turns::ended(const Share& share, Duration took) {
  if (share.urgency == Urgency::kOwn) return;
  const double seconds = std::max(kLeastUse, std::chrono::duration<double>(took).count());
  Provider& provider = providers_.at(share.provider);
  --provider.under_way;
  provider.used += seconds;
  const std::size_t lane = lane_of(share.urgency);
  provider.lanes[lane].used += seconds * static_cast<double>(1U << lane);
}

Turns::Waiting Turns::waiting(const Share& share) const {
  const auto provider = providers_.find(share.provider);
  if (share.urgency == Urgency::kOwn || provider == providers_.end()) return {};
  const auto& callers = provider->second.lanes[lane_of(share.urgency)].callers;
  const auto of_caller = callers.find(share.caller);
  return {provider->second.waiting, of_caller == callers.end() ? 0 : of_caller->second.size()};
}

}  // namespace tillsyn::http
