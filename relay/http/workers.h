#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <memory>
#include <utility>

namespace tillsyn::http {

namespace asio = boost::asio;

// Threads for what would block the loop. With one thread (the store's) jobs run in the order they were asked for.
// Threads: `run`, `waiting` and `stop` from the loop's thread.
class Workers {
 public:
  explicit Workers(std::size_t threads) : pool_(threads) {}

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
  void stop() {
    pool_.stop();
    pool_.join();
  }

 private:
  template <typename T, typename Handler, typename Job>
  void start(Handler handler, Job job) {
    auto back = asio::get_associated_executor(handler);
    auto guard = asio::make_work_guard(back);
    // A handler is move-only and posting may want to copy.
    auto held = std::make_shared<Handler>(std::move(handler));
    asio::post(pool_, [back, guard, held, job = std::move(job)]() mutable {
      auto result = std::make_shared<T>(job());
      asio::post(back, [held, result] { std::move (*held)(std::move(*result)); });
    });
  }

  asio::thread_pool pool_;
  std::size_t waiting_ = 0;
};

}  // namespace tillsyn::http
