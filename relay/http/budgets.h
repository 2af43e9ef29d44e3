#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace tillsyn::http {

// Requests a second for each of many, with a burst for whoever has been quiet. Threads: thread-bound.
class Budgets {
 public:
  using Clock = std::chrono::steady_clock;
  struct Rate {
    double per_second = 0;
    double burst = 0;
  };
  explicit Budgets(Rate rate) : rate_(rate) {}

  // Takes one request from the budget of `name`; false when it is used up.
  bool take(const std::string& name, Clock::time_point now);

 private:
  struct Budget {
    double left = 0;
    Clock::time_point counted_at{};
  };

  void refill(Budget& budget, Clock::time_point now) const;
  void forget_full(Clock::time_point now);

  Rate rate_;
  std::unordered_map<std::string, Budget> budgets_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace tillsyn::http
