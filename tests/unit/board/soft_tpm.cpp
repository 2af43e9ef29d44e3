#include "tests/unit/board/soft_tpm.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tillsyn::board_test {

void SoftTpm::start() {
  int own = -1, device = -1;
  char name[128];
  termios raw{};
  cfmakeraw(&raw);
  REQUIRE(openpty(&own, &device, name, &raw, nullptr) == 0);
  fcntl(device, F_SETFD, FD_CLOEXEC);
  device_.reset(device);
  std::filesystem::create_symlink(name, dir_ / "tpm");
  const std::string fd = std::to_string(own), state = "dir=" + dir_.path();
  process_ = fork();
  if (process_ == 0) {
    execlp("swtpm", "swtpm", "chardev", "--tpm2", "--fd", fd.c_str(), "--tpmstate", state.c_str(), "--flags",
           "startup-clear", nullptr);
    _exit(127);
  }
  close(own);
  REQUIRE(place().has_key().ok());
}

void SoftTpm::stop() {
  if (process_ > 0) kill(process_, SIGTERM), waitpid(process_, nullptr, 0);
  process_ = -1;
  std::filesystem::remove(dir_ / "tpm");
  device_.reset();
}

}  // namespace tillsyn::board_test
