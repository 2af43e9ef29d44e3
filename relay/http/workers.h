#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "relay/http/turns.h"

namespace tillsyn::http {

namespace asio = boost::asio;

// What jobs that wait for one disk have in common: one commit. Called on their thread.
struct Group {
  std::function<void()> begin = [] {};                       // before the first job
  std::function<bool()> has_written = [] { return false; };  // since `begin`, what `commit` has to make durable
  std::function<bool()> commit = [] { return true; };        // false: not kept, and whoever asks anew is told so
  std::chrono::milliseconds longest = std::chrono::milliseconds(0);  // no job is added after this; 0: one job a group
};

// Threads for what would block the loop. Jobs that wait take turns (Turns): one caller's of one urgency run in the
// order in which they were asked for, those of others need not. With a group, those that wait run one after the other
// before one commit, and an answer leaves once all that its job may have seen is durable. Where the commit fails each
// of them runs again, and answers what it is told then. Threads: all from the loop's thread.
class Workers {
 public:
  explicit Workers(std::size_t threads) : Workers(threads, threads) {}
  // With `most_of_provider` threads at most for jobs of one provider, the relay's own apart.
  Workers(std::size_t threads, std::size_t most_of_provider) : turns_(most_of_provider), pool_(threads) {}

  // Before the first job, and for one thread alone.
  void use(Group group) { group_ = std::move(group); }

  // Runs `job` on a thread of these, when it is its `share`'s turn, and resumes the coroutine on the loop with what it
  // returned. Jobs throw nothing.
  template <typename Job>
  auto run(Job job, Share share) -> asio::awaitable<decltype(job())> {
    using T = decltype(job());
    ++waiting_;
    // Once begun it ends, whoever stops waiting: half a job is worse than an unread answer.
    T result = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
        [this, &share](auto handler, Job task) { start<T>(std::move(handler), std::move(task), share); },
        asio::use_awaitable, std::move(job));
    --waiting_;
    co_return result;
  }

  // The same for a job of the relay's own.
  template <typename Job>
  auto run(Job job) -> asio::awaitable<decltype(job())> {
    return run(std::move(job), Share());
  }

  // Jobs that have not been answered; and those that have not begun of this share's provider and caller.
  std::size_t waiting() const { return waiting_; }
  Turns::Waiting waiting(const Share& share) const;

  // Waits for the jobs under way and drops the rest. Afterwards `run` must not be called.
  void stop();

 private:
  template <typename T, typename Handler, typename Job>
  void start(Handler handler, Job job, const Share& share) {
    auto back = asio::get_associated_executor(handler);
    auto guard = asio::make_work_guard(back);
    // A handler is move-only and a function wants to copy.
    auto held = std::make_shared<Handler>(std::move(handler));
    auto result = std::make_shared<std::optional<T>>();
    add(share, {[task = std::make_shared<Job>(std::move(job)), result] { result->emplace((*task)()); },
                [back, guard, held, result] {
                  asio::post(back, [held, result] { std::move (*held)(std::move(**result)); });
                }});
  }

  void add(const Share& share, Turns::Task task);
  std::optional<Turns::Turn> take();
  void ended(const Share& share, Turns::Duration took);
  void run_group();

  Group group_;
  mutable std::mutex mutex_;
  Turns turns_;             // under mutex_
  std::size_t passed_ = 0;  // under mutex_: threads that found none whose turn it could be, though some waited
  asio::thread_pool pool_;
  std::size_t waiting_ = 0;
};

}  // namespace tillsyn::http
