#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace tillsyn::http {

namespace asio = boost::asio;

// What jobs that wait for one disk have in common: one commit. Called on their thread.
struct Group {
  std::function<void()> begin = [] {};                       // before the first job
  std::function<bool()> has_written = [] { return false; };  // since `begin`, what `commit` has to make durable
  std::function<bool()> commit = [] { return true; };        // false: not kept, and whoever asks anew is told so
  std::chrono::milliseconds longest = std::chrono::milliseconds(0);  // no job is added after this; 0: one job a group
};

// Threads for what would block the loop. With one thread (the store's) jobs run in the order they were asked for; with
// a group, those that wait run one after the other before one commit, and an answer leaves once all that its job may
// have seen is durable. Where the commit fails each of them runs again, and answers what it is told then. Threads:
// `run`, `waiting` and `stop` from the loop's thread.
class Workers {
 public:
  explicit Workers(std::size_t threads) : pool_(threads) {}

  // Before the first job, and for one thread alone.
  void use(Group group) { group_ = std::move(group); }

  // Runs `job` on a thread of these and resumes the coroutine on the loop with what it returned. Jobs throw nothing.
  template <typename Job>
  auto run(Job job) -> asio::awaitable<decltype(job())> {
    using T = decltype(job());
    ++waiting_;
    // Once begun it ends, whoever stops waiting: half a job is worse than an unread answer.
    T result = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
        [this](auto handler, Job task) { start<T>(std::move(handler), std::move(task)); }, asio::use_awaitable,
        std::move(job));
    --waiting_;
    co_return result;
  }

  std::size_t waiting() const { return waiting_; }

  // Waits for the jobs under way and drops the rest. Afterwards `run` must not be called.
  void stop();

 private:
  struct Task {
    std::function<void()> run;
    std::function<void()> answer;
  };

  template <typename T, typename Handler, typename Job>
  void start(Handler handler, Job job) {
    auto back = asio::get_associated_executor(handler);
    auto guard = asio::make_work_guard(back);
    // A handler is move-only and a function wants to copy.
    auto held = std::make_shared<Handler>(std::move(handler));
    auto result = std::make_shared<std::optional<T>>();
    add({[task = std::make_shared<Job>(std::move(job)), result] { result->emplace((*task)()); },
         [back, guard, held, result] {
           asio::post(back, [held, result] { std::move (*held)(std::move(**result)); });
         }});
  }

  void add(Task task);
  std::optional<Task> take();
  void run_group();

  Group group_;
  std::mutex mutex_;
  std::deque<Task> tasks_;  // under mutex_
  asio::thread_pool pool_;
  std::size_t waiting_ = 0;
};

}  // namespace tillsyn::http
