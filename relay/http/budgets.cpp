#include "relay/http/budgets.h"

#include <algorithm>

namespace tillsyn::http {

bool Budgets::take(const std::string& name, Clock::time_point now) {
  if (budgets_.size() >= sweep_at_) forget_full(now);
  const auto [found, is_new] = budgets_.try_emplace(name);
  Budget& budget = found->second;
  if (is_new) budget = {rate_.burst, now};
  refill(budget, now);
  if (budget.left < 1) return false;
  budget.left -= 1;
  return true;
}

void Budgets::refill(Budget& budget, Clock::time_point now) const {
  const double elapsed = std::chrono::duration<double>(now - budget.counted_at).count();
  budget.left = std::min(rate_.burst, budget.left + std::max(0.0, elapsed) * rate_.per_second);
  budget.counted_at = now;
}

// A full budget is as good as none.
void Budgets::forget_full(Clock::time_point now) {
  std::erase_if(budgets_, [&](const auto& entry) {
    Budget budget = entry.second;
    refill(budget, now);
    return budget.left >= rate_.burst;
  });
  sweep_at_ = std::max<std::size_t>(1024, budgets_.size() * 2);
}

}  // namespace tillsyn::http
