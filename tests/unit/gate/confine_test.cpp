// Each case confines a child of its own, as there is no way back.
#include "firmware/gate/confine.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;

namespace {

struct Ended {
  int exit_code = -1;
  int signal = 0;
};

// Runs `act` confined; its value is the exit code, 99 when it could not be confined.
Ended confined(const Territory& territory, const std::function<int()>& act) {
  const pid_t child = fork();
  if (child == 0) {
    if (!confine_process(territory) || !confine_system_calls()) _exit(99);
    _exit(act());
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

bool can_open(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags, 0600);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

void no_op() {}

}  // namespace

TEST_CASE("a confined program that starts a program, makes a socket or traces is killed", "[confine][UPD-3]") {
  CHECK(confined({}, [] { return execl("/bin/true", "true", nullptr); }).signal == SIGSYS);
  CHECK(confined({}, [] { return socket(AF_INET, SOCK_STREAM, 0); }).signal == SIGSYS);
  CHECK(confined({}, [] { return socket(AF_UNIX, SOCK_STREAM, 0); }).signal == SIGSYS);
  CHECK(confined({}, [] { return static_cast<int>(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }).signal == SIGSYS);
  CHECK(confined({}, [] { return static_cast<int>(syscall(SYS_bpf, 0, nullptr, 0)); }).signal == SIGSYS);
}

TEST_CASE("a confined program makes threads and socket pairs, but no processes", "[confine]") {
  CHECK(confined({}, [] { return std::thread(no_op).join(), 7; }).exit_code == 7);
  CHECK(confined({}, [] {
          int pair[2];
          return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? 7 : 8;
        }).exit_code == 7);
  CHECK(confined({}, [] {
          int pair[2];
          return socketpair(AF_TIPC, SOCK_STREAM, 0, pair) < 0 && errno == ENOSYS ? 7 : 8;
        }).exit_code == 7);
  CHECK(confined({}, [] { return fork() < 0 && errno == ENOSYS ? 7 : 8; }).exit_code == 7);
}

TEST_CASE("a call that is not on the list does not exist, in any thread, and is told", "[confine]") {
  const auto ended = confined({}, [] {
    if (denied_call()) return 1;
    if (syscall(SYS_swapon, "/dev/null", 0) != -1 || errno != ENOSYS) return 2;
    if (denied_call() != SYS_swapon) return 3;
    if (denied_call()) return 4;
    int code = 5;
    std::thread([&] { code = chroot("/") == -1 && errno == ENOSYS ? 7 : 6; }).join();
    return denied_call() == SYS_chroot ? code : 8;
  });
  CHECK(ended.exit_code == 7);
}

TEST_CASE("a confined program sees its own files only, and writes fewer", "[confine][IAM-14]") {
  Folder folder;
  std::filesystem::create_directory(folder.path() + "/mine");
  std::ofstream(folder.path() + "/mine/a") << "a";
  std::ofstream(folder.path() + "/theirs") << "a";
  std::ofstream(folder.path() + "/read") << "a";
  const Territory territory{{folder.path() + "/read"}, {folder.path() + "/mine", folder.path() + "/absent"}};
  const auto ended = confined(territory, [&] {
    const auto& dir = folder.path();
    if (!can_open(dir + "/mine/a", O_RDWR | O_TRUNC)) return 1;
    if (!can_open(dir + "/mine/b", O_WRONLY | O_CREAT)) return 2;
    if (can_open(dir + "/theirs", O_RDONLY)) return 3;
    if (!can_open(dir + "/read", O_RDONLY)) return 4;
    if (can_open(dir + "/read", O_WRONLY)) return 5;
    if (can_open(dir + "/new", O_WRONLY | O_CREAT)) return 6;
    if (can_open("/etc/passwd", O_RDONLY)) return 8;
    if (rename((dir + "/mine/a").c_str(), (dir + "/theirs").c_str()) == 0) return 9;
    return 7;
  });
  CHECK(ended.exit_code == 7);
}

TEST_CASE("a confined program has no network, no capability, no core dump and no way to more", "[confine][VID-1]") {
  const auto ended = confined({{"/proc/self"}, {}}, [] {
    rlimit core{};
    getrlimit(RLIMIT_CORE, &core);
    if (core.rlim_max > 1) return 1;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 2;
    std::ifstream status("/proc/self/status");
    bool no_capabilities = false;
    for (std::string line; std::getline(status, line);)
      if (line == "CapPrm:\t0000000000000000") no_capabilities = true;
    if (!no_capabilities) return 3;
    std::ifstream devices("/proc/self/net/dev");
    int lines = 0;
    for (std::string line; std::getline(devices, line);) ++lines;
    return lines == 3 ? 7 : 4;  // two of heading, and a loopback
  });
  CHECK(ended.exit_code == 7);
}
