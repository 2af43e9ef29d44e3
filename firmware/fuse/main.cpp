#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "firmware/board/clock.h"
#include "firmware/board/parts.h"
#include "firmware/fuse/child.h"
#include "firmware/fuse/descriptors.h"
#include "firmware/fuse/feed.h"
#include "firmware/fuse/judge.h"

// tillsyn-fuse: gate's parent. It alone opens the light; it keeps it lit while gate holds a camera, and kills gate when
// that does not judge, or holds a camera that its own verdict closes. The promises are in feed.h. It feeds the board's
// watchdog while it watches: a fuse that hangs, or waits for a gate that cannot be killed, ends in the machine's restart.
namespace tillsyn::fuse {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kTick = 50ms;
constexpr Milliseconds kLightCheck = 1s;
constexpr Milliseconds kFeed = 500ms;
constexpr Milliseconds kStopPatience = 5s;
constexpr Milliseconds kFirstPause = 250ms;
constexpr Milliseconds kLongestPause = 30s;
constexpr Milliseconds kGoodRun = 60s;

void say(const std::string& text) { std::fprintf(stderr, "tillsyn-fuse: %s\n", text.c_str()); }

class Fuse {
 public:
  Fuse(const board::BoardDescription& board, std::unique_ptr<board::Light> light,
       std::unique_ptr<board::Watchdog> watchdog, int signals)
      : board_(board), light_(std::move(light)), watchdog_(std::move(watchdog)), signals_(signals) {}

  // Runs gate again and again until told to stop.
  int run(const std::vector<std::string>& command) {
    Milliseconds pause = kFirstPause;
    set_light(false);
    while (!stopping_) {
      const Milliseconds started = board::monotonic_raw();
      if (auto child = start(command)) {
        watch(*child);
      } else {
        say(child.error().message);
      }
      if (board::monotonic_raw() - started >= kGoodRun) pause = kFirstPause;
      rest(pause);
      pause = std::min(2 * pause, kLongestPause);
    }
    complain(watchdog_->disarm());
    return 0;
  }

 private:
  void watch(Child& child) {
    Judge judge(board::monotonic_raw());
    blind_ = false;
    while (!has_ended(child.process)) {
      feed_watchdog();
      wait(child.feed.get(), kTick);
      const Milliseconds now = board::monotonic_raw();
      judge.see(camera_held(child.process), now);
      listen(child, judge, now);
      keep_light(judge.light_needed(now), now);
      const char* fault = judge.fault(now);
      if (fault) say(std::string("gate ") + fault + "; killing it");
      if (fault || (stopping_ && now - stopping_since_ > kStopPatience)) kill(child.process, SIGKILL);
      if (fault) break;
      if (stopping_ && !told_) told_ = kill(child.process, SIGTERM) == 0;
    }
    if (!ended_) waitpid(child.process, nullptr, 0);
    ended_ = false;
    set_light(false);
  }

  bool camera_held(pid_t process) {
    const auto held = holds_camera(process, board_.camera_paths);
    if (held) return *held;
    if (!blind_) say("cannot see gate's descriptors, so it counts as looking: " + held.error().message);
    blind_ = true;
    return true;
  }

  void listen(Child& child, Judge& judge, Milliseconds now) {
    std::uint8_t byte = 0;
    ssize_t size = 0;
    while ((size = recv(child.feed.get(), &byte, 1, MSG_DONTWAIT)) == 1) {
      judge.hear(byte, now);
      if (byte != kLightWanted) continue;
      const std::uint8_t answer = set_light(true) ? kLightLit : kLightFailed;
      send(child.feed.get(), &answer, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    // A gate that is ending hangs up first. Waiting on that would not wait, and at our priority not let it end either.
    if (size == 0) child.feed.reset();
  }

  void keep_light(bool needed, Milliseconds now) {
    const bool check = now - light_checked_at_ >= kLightCheck;
    if (needed == lit_ && !check) return;
    light_checked_at_ = now;
    const auto is_lit = light_->is_lit();
    if (needed != lit_ || !is_lit || *is_lit != needed) set_light(needed);
  }

  bool set_light(bool lit) {
    lit_ = lit;
    const auto set = light_->set(lit);
    if (!set) say(set.error().message);
    return set.ok();
  }

  bool has_ended(pid_t process) {
    int status = 0;
    ended_ = waitpid(process, &status, WNOHANG) == process;
    if (ended_ && !stopping_) say("gate has ended with status " + std::to_string(status));
    return ended_;
  }

  // A gate that fails again and again is started again more and more slowly.
  void rest(Milliseconds pause) {
    const Milliseconds end = board::monotonic_raw() + pause;
    for (Milliseconds now{0}; !stopping_ && (now = board::monotonic_raw()) < end;) {
      feed_watchdog();
      wait(-1, std::min(end - now, kFeed));
    }
  }

  void feed_watchdog() {
    const Milliseconds now = board::monotonic_raw();
    if (now - fed_at_ < kFeed) return;
    fed_at_ = now;
    complain(watchdog_->feed());
  }

  static void complain(const Result<void>& outcome) {
    if (!outcome) say(outcome.error().message);
  }

  // Until the feed speaks, a signal comes or the time is over.
  void wait(int feed, Milliseconds time) {
    std::array<pollfd, 2> fds{{{signals_, POLLIN, 0}, {feed, POLLIN, 0}}};
    poll(fds.data(), fds.size(), static_cast<int>(time.count()));
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGCHLD || stopping_) continue;
      stopping_ = true;
      stopping_since_ = board::monotonic_raw();
    }
  }

  const board::BoardDescription& board_;
  std::unique_ptr<board::Light> light_;
  std::unique_ptr<board::Watchdog> watchdog_;
  int signals_;
  Milliseconds fed_at_{0};
  Milliseconds light_checked_at_{0};
  Milliseconds stopping_since_{0};
  bool lit_ = false;
  bool stopping_ = false;
  bool told_ = false;
  bool ended_ = false;
  bool blind_ = false;
};

// Best effort: without the rights for it the fuse still works, only later when the machine is very busy.
void take_priority() {
  const sched_param priority{10};
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) != 0) say("no real-time priority here");
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) say("memory is not locked");
}

int signal_descriptor() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&wanted, signal);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
}

int run(const std::string& board_path, const std::vector<std::string>& command) {
  const auto board = board::load_board(board_path);
  if (!board) return say(board.error().message), 2;
  auto light = board::make_light(*board);
  if (!light) return say(light.error().message), 2;
  const UniqueFd signals(signal_descriptor());
  take_priority();
  auto watchdog = board::make_watchdog(*board);
  if (!watchdog) return say(watchdog.error().message), 2;
  return Fuse(*board, std::move(light).value(), std::move(watchdog).value(), signals.get()).run(command);
}

}  // namespace
}  // namespace tillsyn::fuse

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 4 || words[0] != "--board" || words[2] != "--") {
    tillsyn::fuse::say("usage: tillsyn-fuse --board FILE -- /full/path/of/tillsyn-gate [its arguments]");
    return 2;
  }
  return tillsyn::fuse::run(words[1], {words.begin() + 3, words.end()});
}
