#include "firmware/gate/pulse.h"

#include <sched.h>
#include <sys/socket.h>

#include "firmware/board/clock.h"
#include "firmware/fuse/feed.h"

namespace tillsyn::gate {

Pulse::~Pulse() = default;  // stops the thread and waits for it

void Pulse::start() {
  if (feed_ < 0) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { beat(stop); });
  // Only where the service may have it; without it a busy machine may make the fuse act too early, never too late.
  const sched_param priority{1};
  pthread_setschedparam(thread_.native_handle(), SCHED_FIFO, &priority);
}

void Pulse::judged(Milliseconds now, std::optional<Milliseconds> open_until) {
  open_until_.store(open_until ? open_until->count() : kClosed);
  judged_at_.store(now.count());
}

std::optional<std::uint8_t> Pulse::byte_at(Milliseconds now) const {
  const std::int64_t until = open_until_.load();
  if (now - Milliseconds(judged_at_.load()) > kLoopPatience) return std::nullopt;
  if (until == kClosed) return fuse::kVerdictClosed;
  return now.count() < until ? std::optional(fuse::kVerdictOpen) : std::nullopt;
}

void Pulse::beat(const std::stop_token& stop) const {
  while (!stop.stop_requested()) {
    // A fuse that is late reads the next one; one that has died is the loop's to notice.
    if (const auto byte = byte_at(board::monotonic_raw())) ::send(feed_, &*byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    std::this_thread::sleep_for(kEvery);
  }
}

}  // namespace tillsyn::gate
