#include "relay/http/workers.h"

#include <vector>

namespace tillsyn::http {

void Workers::stop() {
  pool_.stop();
  pool_.join();
}

void Workers::add(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  asio::post(pool_, [this] { run_group(); });
}

std::optional<Workers::Task> Workers::take() {
  const std::lock_guard lock(mutex_);
  if (tasks_.empty()) return std::nullopt;
  std::optional<Task> first(std::move(tasks_.front()));
  tasks_.pop_front();
  return first;
}

// There is a call for every task, so one that finds its own taken into an earlier group finds nothing.
void Workers::run_group() {
  auto task = take();
  if (!task) return;
  const auto last = std::chrono::steady_clock::now() + group_.longest;
  std::vector<Task> unanswered;
  group_.begin();
  for (; task; task = std::chrono::steady_clock::now() < last ? take() : std::nullopt) {
    task->run();
    if (group_.has_written()) {
      unanswered.push_back(std::move(*task));
    } else {
      task->answer();
    }
  }
  if (!group_.commit()) {
    for (const Task& one : unanswered) one.run();
  }
  for (const Task& one : unanswered) one.answer();
}

}  // namespace tillsyn::http
