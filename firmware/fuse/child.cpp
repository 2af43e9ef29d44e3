#include "firmware/fuse/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tillsyn::fuse {
namespace {

// Between fork and exec: nothing here may allocate.
[[noreturn]] void become(char** arguments, int feed, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  fcntl(feed, F_SETFD, 0);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

Result<Child> start(const std::vector<std::string>& command) {
  const auto failed = [](const char* what) {
    return Error{Code::kUnavailable, "child", std::string(what) + ": " + std::strerror(errno)};
  };
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()) != 0) return failed("feed");
  UniqueFd ours(fds[0]);
  const UniqueFd theirs(fds[1]);

  std::vector<std::string> words = command;
  words.insert(words.end(), {"--feed-fd", std::to_string(theirs.get())});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const pid_t parent = getpid();
  const pid_t process = fork();
  if (process < 0) return failed("fork");
  if (process == 0) become(arguments.data(), theirs.get(), parent);
  return Child{process, std::move(ours)};
}

}  // namespace tillsyn::fuse
