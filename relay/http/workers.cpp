#include "relay/http/workers.h"

#include <vector>

namespace tillsyn::http {

void Workers::stop() {
  pool_.stop();
  pool_.join();
}

Turns::Waiting Workers::waiting(const Share& share) const {
  const std::lock_guard lock(mutex_);
  return turns_.waiting(share);
}

void Workers::add(const Share& share, Turns::Task task) {
  {
    const std::lock_guard lock(mutex_);
    turns_.add(share, std::move(task));
  }
  asio::post(pool_, [this] { run_group(); });
}

std::optional<Turns::Turn> Workers::take() {
  const std::lock_guard lock(mutex_);
  auto turn = turns_.take();
  if (!turn && !turns_.is_empty()) ++passed_;
  return turn;
}

void Workers::ended(const Share& share, Turns::Duration took) {
  const std::lock_guard lock(mutex_);
  turns_.ended(share, took);
  if (passed_ == 0) return;
  --passed_;
  asio::post(pool_, [this] { run_group(); });
}

// There is a call for every job, so one that finds its own taken into an earlier group finds nothing.
void Workers::run_group() {
  auto turn = take();
  if (!turn) return;
  auto began = std::chrono::steady_clock::now();
  const auto last = began + group_.longest;
  std::vector<Turns::Task> unanswered;
  group_.begin();
  while (turn) {
    turn->task.run();
    const auto now = std::chrono::steady_clock::now();
    ended(turn->share, now - began);
    began = now;
    if (group_.has_written()) {
      unanswered.push_back(std::move(turn->task));
    } else {
      turn->task.answer();
    }
    turn = now < last ? take() : std::nullopt;
  }
  if (!group_.commit()) {
    for (const Turns::Task& one : unanswered) one.run();
  }
  for (const Turns::Task& one : unanswered) one.answer();
}

}  // namespace tillsyn::http
