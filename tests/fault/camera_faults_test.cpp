#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "tests/fault/hub.h"

// A camera that stalls, talks nonsense, or is pulled out under a view: the bench board's, fed by the test through a
// FIFO.
using namespace tillsyn;
using namespace tillsyn::fault;
using namespace std::chrono_literals;

namespace {

std::string recording() {
  std::ostringstream out;
  out << std::ifstream("/usr/share/doc/opencv-doc/examples/data/vtest.avi", std::ios::binary).rdbuf();
  return out.str();
}

// The camera's FIFO, and what is written to it, as fast as it is read, from the beginning for each time it is plugged
// in.
class Feed {
 public:
  enum class Says { kPictures, kNothing, kNonsense };

  explicit Feed(std::string path) : path_(std::move(path)), pictures_(recording()) {
    REQUIRE(pictures_.size() > 1000000);
    plug_in();
  }
  ~Feed() { pull_out(); }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  void plug_in() {
    mkfifo(path_.c_str(), 0600);
    says_ = Says::kPictures;
    is_plugged_ = true;
    // The descriptor that also reads keeps the gate's opening of the FIFO from waiting for us.
    fd_ = open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(fd_ >= 0);
    fcntl(fd_, F_SETPIPE_SZ, 4096);  // what was written and not read yet would be taken for the camera's
    writer_ = std::thread([this] { write_all(); });
  }
  void pull_out() {
    is_plugged_ = false;
    if (writer_.joinable()) writer_.join();
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void say(Says what) { says_ = what; }

 private:
  void write_all() {
    const std::string nonsense(4096, '\x5a');
    std::size_t at = 0;
    while (is_plugged_) {
      pollfd writable{fd_, POLLOUT, 0};
      if (says_ == Says::kNothing || poll(&writable, 1, 20) <= 0) {
        std::this_thread::sleep_for(5ms);
        continue;
      }
      const bool sane = says_ == Says::kPictures;
      const auto size = sane ? std::min<std::size_t>(4096, pictures_.size() - at) : nonsense.size();
      const auto written = write(fd_, sane ? pictures_.data() + at : nonsense.data(), size);
      if (sane && written > 0) at = (at + static_cast<std::size_t>(written)) % pictures_.size();
    }
  }

  std::string path_;
  std::string pictures_;
  std::atomic<Says> says_ = Says::kPictures;
  std::atomic<bool> is_plugged_ = false;
  int fd_ = -1;
  std::thread writer_;
};

}  // namespace

namespace {

struct Watched {
  Watched() : hub(folder.path(), folder.path() + "/state", CameraAt{camera}) {
    hub.programs.start();
    hub.connect();
    see();
  }

  void see() {
    hub.see();
    CHECK(hub.programs.is_lit());
  }
  // Every look begins with a camera that tells its stream from the beginning.
  void plug_in_anew() {
    feed.pull_out();
    unlink(camera.c_str());
    feed.plug_in();
  }
  void closes(milliseconds patience) {
    CHECK(until([&] { return hub.link->listen(5ms), !hub.programs.holds_camera(); }, patience));
    CHECK(until([&] { return !hub.programs.is_lit(); }, 1s));
  }
  void check() {
    hub.check();
    hub.count_pictures();
  }

  const OnOwnFolder folder;
  const gate_test::Folder devices;
  const std::string camera = devices.path() + "/camera";
  Feed feed{camera};
  Hub hub;
};

}  // namespace

TEST_CASE("a camera pulled out under a view: closed within a second, and opened again when it is back",
          "[fault][camera][ENF-7][LOG-7][LOG-8]") {
  Watched home;
  const int rounds = times(2, 10);
  for (int i = 0; i < rounds; ++i) {
    home.feed.pull_out();
    home.closes(1s);
    unlink(home.camera.c_str());
    CHECK(home.hub.look() == "camera_fault");
    CHECK(home.hub.link->newest("camera_fault") > 0);
    home.feed.plug_in();
    home.see();
    home.check();
    home.plug_in_anew();
    home.see();
  }
  CHECK(home.hub.link->newest("camera_restored") > 0);
  std::cout << "camera pulled out and plugged in again " << rounds << " times, survived " << rounds << std::endl;
}

TEST_CASE("a camera that stalls or talks nonsense: closed, and pictures again when it makes sense",
          "[fault][camera][ENF-1][LOG-7]") {
  Watched home;
  const int rounds = times(2, 10);
  for (int i = 0; i < rounds; ++i) {
    home.feed.say(Feed::Says::kNothing);
    home.closes(10s);  // two seconds after the last picture, and what the demultiplexer still has goes first
    home.plug_in_anew();
    home.see();
    home.feed.say(Feed::Says::kNonsense);
    home.hub.link->listen(milliseconds(500 + upto(1000)));
    home.plug_in_anew();
    home.closes(10s);
    home.see();
    home.check();
    home.plug_in_anew();
    home.see();
  }
  std::cout << "camera stalled and talked nonsense " << rounds << " times, survived " << rounds << std::endl;
}
