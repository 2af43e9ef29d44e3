// A stand-in for gate under tillsyn-fuse: feeds it, well or badly, and tells a test about it on an inherited
// descriptor.
//
//   fed-child <mode> <report fd> <camera path> --feed-fd <fd>
//
// Modes: honest (asks for the light, looks until told "stop" by SIGUSR1, closes, goes on judging), silent (stops
// feeding), thief (looks while saying closed), babbler (says nonsense), stubborn (ignores SIGTERM).

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "firmware/fuse/feed.h"

namespace {

volatile sig_atomic_t ending = 0;
volatile sig_atomic_t looking = 1;

void on_term(int) { ending = 1; }
void on_user(int) { looking = 0; }

struct Child {
  int report;
  int feed;
  std::string camera;

  void tell(const std::string& word) const {
    const std::string line = word + "\n";
    if (write(report, line.data(), line.size()) < 0) _exit(3);
  }
  void say(std::uint8_t byte) const { send(feed, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT); }
  int open_camera() const { return open(camera.c_str(), O_RDONLY | O_CLOEXEC); }

  // Feeds every 100 ms until `ending`, or until looking ends.
  void judge(std::uint8_t byte, bool while_looking) const {
    while (!ending && (!while_looking || looking)) {
      say(byte);
      poll(nullptr, 0, 100);
    }
  }

  void honest() const {
    say(tillsyn::fuse::kLightWanted);
    pollfd answer{feed, POLLIN, 0};
    std::uint8_t lit = 0;
    poll(&answer, 1, 5000);
    if (recv(feed, &lit, 1, 0) != 1) _exit(4);
    tell(lit == tillsyn::fuse::kLightLit ? "lit" : "dark");
    const int fd = open_camera();
    tell("looking");
    judge(tillsyn::fuse::kVerdictOpen, true);
    close(fd);
    tell("closed");
    judge(tillsyn::fuse::kVerdictClosed, false);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6 || std::string(argv[argc - 2]) != "--feed-fd") return 2;
  const std::string mode = argv[1];
  const Child child{std::atoi(argv[2]), std::atoi(argv[argc - 1]), argv[3]};
  signal(SIGTERM, mode == "stubborn" ? SIG_IGN : on_term);
  signal(SIGUSR1, on_user);
  child.tell("started " + std::to_string(getpid()));
  if (mode == "honest") child.honest();
  if (mode == "stubborn") child.judge(tillsyn::fuse::kVerdictClosed, false);
  if (mode == "babbler") child.judge('?', false);
  if (mode == "silent") {
    child.say(tillsyn::fuse::kVerdictClosed);
    while (!ending) pause();
  }
  if (mode == "thief") {
    child.open_camera();
    child.judge(tillsyn::fuse::kVerdictClosed, false);
  }
  child.tell("ended");
  return 0;
}
