#include "firmware/gate/frame_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace tillsyn::gate {

FrameQueue::FrameQueue() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_.is_open()) std::abort();  // out of descriptors at the start of a view: our own leak
}

void FrameQueue::push(camera::AccessUnit unit) {
  const std::lock_guard lock(mutex_);
  if (units_.size() == kMaxFrames) {
    units_.pop_front();
    ++dropped_;
  }
  units_.push_back(std::move(unit));
  const std::uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof(one)) < 0) return;  // full: it is readable already
}

std::optional<camera::AccessUnit> FrameQueue::pop() {
  const std::lock_guard lock(mutex_);
  if (units_.empty()) {
    std::uint64_t count = 0;
    if (::read(wake_.get(), &count, sizeof(count)) < 0) return std::nullopt;  // it was not readable
    return std::nullopt;
  }
  auto unit = std::move(units_.front());
  units_.pop_front();
  return unit;
}

std::optional<std::uint64_t> FrameQueue::oldest_mono_ms() const {
  const std::lock_guard lock(mutex_);
  if (units_.empty()) return std::nullopt;
  return units_.front().capture_mono_ms;
}

void FrameQueue::clear() {
  const std::lock_guard lock(mutex_);
  units_.clear();
}

std::uint64_t FrameQueue::take_dropped() {
  const std::lock_guard lock(mutex_);
  return std::exchange(dropped_, 0);
}

}  // namespace tillsyn::gate
