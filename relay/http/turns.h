#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "relay/http/share.h"

namespace tillsyn::http {

// Jobs that wait for the same threads, and which of them is next.
//
// The relay's own go first. Otherwise the provider that has used the least time is next; strangers are together as one
// provider. Within a provider the same holds between urgencies, where each counts half as much as the one above it, and
// of one urgency its callers take turns. A caller's jobs of one urgency keep their order. Who waited for nothing has
// nothing saved up: the time that others used meanwhile counts as used.
//
// So whoever asks for little is served as if alone, whatever the others ask for. Threads: thread-bound.
class Turns {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // No provider has more than `most_at_once` jobs under way.
  explicit Turns(std::size_t most_at_once) : most_at_once_(most_at_once) {}

  struct Task {
    std::function<void()> run;
    std::function<void()> answer;
  };
  void add(const Share& share, Task task);

  struct Turn {
    Share share;
    Task task;
  };
  // The next, which is then under way until `ended`; none while nothing waits or those it is of have enough under way.
  std::optional<Turn> take();
  void ended(const Share& share, Duration took);

  bool is_empty() const { return waiting_ == 0; }
  struct Waiting {
    std::size_t of_provider = 0;
    std::size_t of_caller = 0;  // of this urgency
  };
  Waiting waiting(const Share& share) const;

 private:
  static constexpr std::size_t kLanes = 4;  // the urgencies below kOwn

  // One urgency of one provider.
  struct Lane {
    std::map<std::string, std::deque<Task>> callers;  // those that wait
    std::deque<std::string> order;                    // the same, in the order of their turns
    double used = 0;                                  // seconds, counted double for each urgency above it
    bool is_waiting() const { return !order.empty(); }
    void add(const std::string& caller, Task task);
    std::pair<std::string, Task> take();
  };
  struct Provider {
    std::array<Lane, kLanes> lanes;
    std::size_t waiting = 0;
    std::size_t under_way = 0;
    double used = 0;     // seconds
    double reached = 0;  // what its lane that was last taken from had used
  };
  using Providers = std::map<std::string, Provider>;

  Turn take_own();
  Providers::iterator next_provider();

  std::size_t most_at_once_;
  std::size_t waiting_ = 0;
  std::deque<Task> own_;
  Providers providers_;  // as many as the root list ever named, and the strangers
  double reached_ = 0;   // what the provider that was last taken from had used
};

}  // namespace tillsyn::http
