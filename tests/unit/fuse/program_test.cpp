#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/unique_fd.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;

// The real tillsyn-fuse with a stand-in for gate (tests/fakes/fed_child.cpp) that reports over a pipe.
namespace {

constexpr int kPatienceMs = 20000;

class Run {
 public:
  explicit Run(const std::string& mode) {
    std::ofstream(dir_ / "camera") << "pictures";
    std::filesystem::copy_file(TILLSYN_BENCH_BOARD, dir_ / "board.json");
    std::array<int, 2> fds{};
    REQUIRE(pipe2(fds.data(), O_CLOEXEC) == 0);
    report_.reset(fds[0]);
    const UniqueFd theirs(fds[1]);
    fcntl(theirs.get(), F_SETFD, 0);
    start({TILLSYN_FUSE, "--board", dir_ / "board.json", "--", TILLSYN_FED_CHILD, mode, std::to_string(theirs.get()),
           dir_ / "camera"});
  }
  ~Run() {
    if (fuse_ <= 0) return;
    kill(fuse_, SIGKILL);
    waitpid(fuse_, nullptr, 0);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // The child's next report; "" when every child and the fuse are gone.
  std::string next() {
    for (;;) {
      if (const auto end = text_.find('\n'); end != std::string::npos) {
        const std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return line;
      }
      pollfd wait{report_.get(), POLLIN, 0};
      REQUIRE(poll(&wait, 1, kPatienceMs) == 1);
      std::array<char, 256> chunk{};
      const ssize_t got = read(report_.get(), chunk.data(), chunk.size());
      if (got <= 0) return "";
      text_.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }
  pid_t next_start() {
    const std::string line = next();
    REQUIRE(line.starts_with("started "));
    return std::stoi(line.substr(8));
  }

  bool light_becomes(char wanted) const {
    for (int waited = 0; waited < kPatienceMs; waited += 5) {
      if (light() == wanted) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }
  char light() const {
    char digit = '?';
    std::ifstream(dir_ / "light").get(digit);
    return digit;
  }

  void signal_fuse(int signal) const { kill(fuse_, signal); }
  int exit_status() {
    int status = 0;
    waitpid(fuse_, &status, 0);
    fuse_ = -1;
    return status;
  }

 private:
  void start(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    REQUIRE(posix_spawn(&fuse_, arguments[0], nullptr, nullptr, arguments.data(), environ) == 0);
  }

  test::TempDir dir_;
  UniqueFd report_;
  std::string text_;
  pid_t fuse_ = -1;
};

}  // namespace

TEST_CASE("the light is on before the camera looks, and off after", "[fuse][ENF-7]") {
  Run run("honest");
  const pid_t child = run.next_start();
  CHECK(run.next() == "lit");
  CHECK(run.light() == '1');
  CHECK(run.next() == "looking");
  CHECK(run.light() == '1');
  kill(child, SIGUSR1);
  CHECK(run.next() == "closed");
  CHECK(run.light_becomes('0'));
}

TEST_CASE("a gate that does not judge, steals or babbles is killed and started again, in the dark", "[fuse][ENF-1]") {
  const std::string mode = GENERATE("silent", "thief", "babbler");
  CAPTURE(mode);
  Run run(mode);
  const pid_t first = run.next_start();
  const pid_t second = run.next_start();  // "ended" would come first had it not been killed
  CHECK(first != second);
  CHECK(kill(first, 0) != 0);
}

TEST_CASE("a camera opened behind the fuse's back lights the light", "[fuse][ENF-7]") {
  Run run("thief");
  run.next_start();
  CHECK(run.light_becomes('1'));
  run.next_start();
}

TEST_CASE("told to stop, the fuse lets gate end and leaves the light off", "[fuse]") {
  Run run("honest");
  run.next_start();
  CHECK(run.next() == "lit");
  CHECK(run.next() == "looking");
  run.signal_fuse(SIGTERM);
  CHECK(run.next() == "closed");
  CHECK(run.next() == "ended");
  CHECK(run.exit_status() == 0);
  CHECK(run.light() == '0');
}

TEST_CASE("a gate that will not end when told is killed", "[fuse]") {
  Run run("stubborn");
  run.next_start();
  run.signal_fuse(SIGTERM);
  CHECK(run.next() == "");
  CHECK(run.exit_status() == 0);
}

TEST_CASE("gate does not outlive the fuse", "[fuse][ENF-1]") {
  Run run("honest");
  run.next_start();
  CHECK(run.next() == "lit");
  CHECK(run.next() == "looking");
  run.signal_fuse(SIGKILL);
  CHECK(run.next() == "");
}
