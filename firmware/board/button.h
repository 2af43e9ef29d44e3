#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "firmware/board/clock_judge.h"

struct input_event;  // linux/input.h

namespace tillsyn::board {

enum class Press {
  kShort,  // let go before 5 s: the resident's pause
  kHeld,   // held 5 s: presence of an installer
  kStuck,  // down for a minute, or bouncing for 10 s: nobody's hand
};

// The hub's one button. Threads: thread-bound.
class Button {
 public:
  virtual ~Button() = default;

  // To poll for reading; -1 for a board without a button.
  virtual int fd() const = 0;

  // The next press, nullopt if there is none; call until nullopt. Never blocks. kIo "button" when the device is gone.
  virtual Result<std::optional<Press>> read() = 0;
};

// Tells presses from the times at which the key went down and up. Pure. Threads: thread-bound.
class PressJudge {
 public:
  static constexpr Milliseconds kHold{5000};
  static constexpr Milliseconds kBounce{20};  // shorter is the contact, not the finger
  static constexpr Milliseconds kSettle{500};
  static constexpr Milliseconds kBouncing{10'000};
  static constexpr Milliseconds kStuck{60'000};

  // `at` counts on any steady clock. A hold is told once, at the first event 5 s after `down`; that it is stuck once,
  // at the first event a minute after. What comes within half a second of the end of a press, or of what came so,
  // belongs to that press: a hand that trembles, and a contact that bounces, press once.
  void down(Milliseconds at);
  std::optional<Press> still_down(Milliseconds at);  // key repeat
  std::optional<Press> up(Milliseconds at);
  void forget();  // events were lost: the press under way counts for nothing

 private:
  bool is_bounce(Milliseconds at) const { return last_end_ && at - *last_end_ < kSettle; }
  std::optional<Press> tell(Press press);

  std::optional<Milliseconds> down_at_;
  std::optional<Milliseconds> bouncing_since_;
  std::optional<Milliseconds> last_end_;  // of a press, or of a bounce that followed it
  std::optional<Press> told_;             // of the press under way
};

// A key of an evdev device, such as gpio-keys. A hold is told at the key's repeat or, where it has none, when it is let
// go.
class EvdevButton : public Button {
 public:
  // `device` as /dev/input/by-path/…; `key` as in linux/input-event-codes.h. kUnavailable "button" if it cannot be
  // opened.
  static Result<std::unique_ptr<Button>> open(const std::string& device, int key);

  // The same for a device that is open already, non-blocking, its events timed by a steady clock.
  static std::unique_ptr<Button> adopt(UniqueFd device, int key);

  int fd() const override { return fd_.get(); }
  Result<std::optional<Press>> read() override;

 private:
  EvdevButton(UniqueFd fd, int key) : fd_(std::move(fd)), key_(key) {}

  std::optional<Press> judge(const input_event& event);

  UniqueFd fd_;
  int key_;
  PressJudge judge_;
};

// A board without a button.
class NoButton : public Button {
 public:
  int fd() const override { return -1; }
  Result<std::optional<Press>> read() override { return std::optional<Press>(); }
};

}  // namespace tillsyn::board
