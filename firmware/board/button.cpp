#include "firmware/board/button.h"

#include <fcntl.h>
#include <linux/input.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace tillsyn::board {
namespace {

constexpr int kKeyUp = 0;
constexpr int kKeyDown = 1;

Milliseconds time_of(const input_event& event) {
  return std::chrono::seconds(event.input_event_sec) +
         std::chrono::duration_cast<Milliseconds>(std::chrono::microseconds(event.input_event_usec));
}

}  // namespace

void PressJudge::down(Milliseconds at) {
  if (is_bounce(at)) return;
  forget();
  down_at_ = at;
}

// Nothing twice, and nothing less after more.
std::optional<Press> PressJudge::tell(Press press) {
  if (told_ == press || told_ == Press::kStuck) return std::nullopt;
  return told_ = press;
}

std::optional<Press> PressJudge::still_down(Milliseconds at) {
  if (!down_at_ || at - *down_at_ < kHold) return std::nullopt;
  return tell(at - *down_at_ < kStuck ? Press::kHeld : Press::kStuck);
}

std::optional<Press> PressJudge::up(Milliseconds at) {
  if (is_bounce(at)) {
    last_end_ = at;
    return at - *bouncing_since_ < kBouncing ? std::nullopt : tell(Press::kStuck);
  }
  if (!down_at_) return std::nullopt;
  const auto held = still_down(at);
  const bool is_long = at - *down_at_ >= kHold;
  const bool is_contact = at - *down_at_ < kBounce;
  down_at_.reset();
  if (is_contact) return std::nullopt;
  last_end_ = bouncing_since_ = at;
  return is_long ? held : tell(Press::kShort);
}

void PressJudge::forget() {
  down_at_.reset();
  told_.reset();
}

Result<std::unique_ptr<Button>> EvdevButton::open(const std::string& device, int key) {
  UniqueFd fd(::open(device.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  int clock = CLOCK_MONOTONIC;
  if (!fd.is_open() || ioctl(fd.get(), EVIOCSCLOCKID, &clock) != 0) {
    return Error{Code::kUnavailable, "button", device + ": " + std::strerror(errno)};
  }
  return adopt(std::move(fd), key);
}

std::unique_ptr<Button> EvdevButton::adopt(UniqueFd device, int key) {
  return std::unique_ptr<Button>(new EvdevButton(std::move(device), key));
}

Result<std::optional<Press>> EvdevButton::read() {
  input_event event{};
  for (;;) {
    const ssize_t got = ::read(fd_.get(), &event, sizeof event);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<Press>();
    if (got != static_cast<ssize_t>(sizeof event)) return Error{Code::kIo, "button", "device is gone"};
    if (const auto press = judge(event)) return press;
  }
}

std::optional<Press> EvdevButton::judge(const input_event& event) {
  if (event.type == EV_SYN && event.code == SYN_DROPPED) judge_.forget();  // the key may have gone up unseen
  if (event.type != EV_KEY || event.code != key_) return std::nullopt;
  if (event.value == kKeyUp) return judge_.up(time_of(event));
  if (event.value != kKeyDown) return judge_.still_down(time_of(event));
  judge_.down(time_of(event));
  return std::nullopt;
}

}  // namespace tillsyn::board
