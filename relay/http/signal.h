#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "relay/http/tls_stream.h"

namespace tillsyn::http {

// Wakes one coroutine that waits for something to change; a call that comes before the wait is not lost.
// Threads: bound to the loop.
class Signal {
 public:
  explicit Signal(Executor loop) : timer_(loop, Timer::time_point::max()) {}

  void notify() {
    is_set_ = true;
    timer_.cancel();
  }

  asio::awaitable<void> wait() {
    while (!is_set_) co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    is_set_ = false;
  }

 private:
  Timer timer_;
  bool is_set_ = false;
};

}  // namespace tillsyn::http
