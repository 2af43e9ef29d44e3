#include "tests/property/hub.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

#include "common/sframe/frame.h"
#include "firmware/fuse/feed.h"

namespace {

std::atomic<std::int64_t> steady{10 * 3'600'000};

bool is_steady(clockid_t id) { return id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW || id == CLOCK_BOOTTIME; }

}  // namespace

// Stands before libc's for this program and its libraries: all that counts time here counts the test's.
extern "C" int clock_gettime(clockid_t id, timespec* out) noexcept {
  if (!is_steady(id)) return static_cast<int>(::syscall(SYS_clock_gettime, id, out));
  const auto now = steady.load();
  out->tv_sec = now / 1000;
  out->tv_nsec = now % 1000 * 1'000'000;
  return 0;
}

// Nor does anybody sleep for long: the pulse's thread is waited for at every restart.
extern "C" int nanosleep(const timespec*, timespec*) {
  const timespec briefly{0, 20'000'000};
  return static_cast<int>(::syscall(SYS_nanosleep, &briefly, nullptr));
}

namespace tillsyn::property {
namespace {

using gate_test::must;
using std::chrono::milliseconds;

constexpr Ms kCoasting = 72 * kHour;

std::string payload_of(ByteView envelope) { return Json::parse(text_of(envelope)).at("payload").get<std::string>(); }

class LensView : public camera::View {
 public:
  LensView(std::shared_ptr<Lens::State> state, camera::ViewSettings settings)
      : state_(std::move(state)), settings_(std::move(settings)) {
    state_->open.insert(&settings_);
  }
  ~LensView() override { state_->open.erase(&settings_); }
  std::optional<Error> failure() override { return std::nullopt; }
  void set_bitrate(unsigned) override {}
  void request_key_frame() override {}

 private:
  std::shared_ptr<Lens::State> state_;
  camera::ViewSettings settings_;
};

}  // namespace

Ms steady_now() { return steady.load(); }
void steady_pass(Ms time) { steady += time; }

void Wall::restart() {
  // A kernel whose clock has been set by hand does not say that it is synchronised.
  if (offset != 0) synchronised = false;
  stepped_ = false;
  last_synchronised_.reset();
}

void Wall::looked() {
  if (stepped_) last_synchronised_.reset();
  if (!stepped_ && synchronised) last_synchronised_ = steady_now();
}

std::optional<Ms> Wall::trusted() const {
  if (stepped_ || !(synchronised || last_synchronised_)) return std::nullopt;
  if (!synchronised && steady_now() - *last_synchronised_ > kCoasting) return std::nullopt;
  return shown();
}

Result<std::unique_ptr<camera::View>> Lens::open(const camera::ViewSettings& settings) {
  if (state_->fails) return Error{Code::kUnavailable, "camera_fault", "told to fail"};
  return std::unique_ptr<camera::View>(std::make_unique<LensView>(state_, settings));
}

struct Hub::Clock : board::ClockSource {
  explicit Clock(Wall& shared) : wall(shared) {}
  board::ClockSample sample() override {
    wall.looked();
    return {Instant(milliseconds(wall.shown())), milliseconds(steady_now()), wall.synchronised,
            milliseconds(wall.max_error)};
  }
  Wall& wall;
};

// Always readable, so that the gate's loop never waits in earnest.
struct Hub::Button : board::Button {
  int fd() const override { return always.get(); }
  Result<std::optional<board::Press>> read() override {
    if (presses.empty()) return std::optional<board::Press>();
    const auto press = presses.front();
    presses.pop_front();
    return std::optional(press);
  }
  UniqueFd always{eventfd(1, EFD_CLOEXEC)};
  std::deque<board::Press> presses;
};

namespace {

board::BoardDescription board_in(const std::string& folder) {
  board::BoardDescription board;
  board.name = "walk";
  board.cameras = {{"bedroom", "room", folder + "/camera"}};
  board.light.kind = "none";
  board.button.kind = "none";
  return board;
}

}  // namespace

Hub::Hub(const orders::FleetRoot& root, Ms truth) : lens(std::make_shared<Lens::State>()), root_(root) {
  wall.base = truth - steady_now();
  keys = must(board::FileKeyPlace(folder.path()).open());
  start();
}

void Hub::start() {
  int pair[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) throw Broken("socketpair");
  fuse_side_.reset(pair[0]);
  // The pulse beats in real time: room for what it says while the test is busy elsewhere.
  constexpr int kRoom = 4 * 1024 * 1024;
  setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &kRoom, sizeof kRoom);
  stop_side_.reset(eventfd(0, EFD_CLOEXEC));
  auto button = std::make_unique<Button>();
  button_ = button.get();
  gate::Cameras cameras;
  cameras.emplace("bedroom", std::make_unique<Lens>(lens));
  gate::Gate::Parts parts{.home_settings = {folder.path() + "/gate.db", root_, {}},
                          .keys = must(board::FileKeyPlace(folder.path()).open()),
                          .clock = std::make_unique<board::Clock>(std::make_unique<Clock>(wall), Instant()),
                          .button = std::move(button),
                          .cameras = std::move(cameras),
                          .hardware = gate::Hardware(board_in(folder.path()), folder.path()),
                          .listener = must(ipc::Listener::open(folder.path() + "/socket")),
                          .fuse = UniqueFd(pair[1]),
                          .stop = UniqueFd(dup(stop_side_.get()))};
  auto home = must(gate::Home::open(parts.home_settings, *parts.keys));
  parts.clock->raise_floor(must(home->floor()));
  gate_ = std::make_unique<gate::Gate>(std::move(parts), std::move(home));
  gate_->begin();
}

void Hub::restart() {
  link_.reset();
  gate_.reset();
  if (is_camera_open()) throw Broken("a camera is open and no gate is there");
  wall.restart();
  start();
}

void Hub::connect() {
  if (link_) return;
  link_.emplace(must(ipc::Connection::connect(folder.path() + "/socket")));
  turn_once();
  send(ipc::MessageType::kHello, Bytes{ipc::kProtocolVersion});
  turn();
}

void Hub::send(ipc::MessageType type, ByteView body) {
  if (!link_) return;
  const auto sent = link_->send(type, body);
  if (sent && *sent != ipc::Sent::kSent) throw Broken("the test says more than link may");
  if (!sent) link_.reset();
}

void Hub::turn() {
  turn_once();
  turn_once();
}

void Hub::turn_once() {
  answer_fuse();
  if (!must(gate_->turn())) throw Broken("the gate has ended");
  receive();
}

void Hub::answer_fuse() {
  std::uint8_t byte = 0;
  while (::recv(fuse_side_.get(), &byte, 1, MSG_DONTWAIT) == 1) {
    if (byte != fuse::kLightWanted || fuse == Fuse::kSilent) continue;
    const std::uint8_t answer = fuse == Fuse::kLights ? fuse::kLightLit : fuse::kLightFailed;
    ::send(fuse_side_.get(), &answer, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

void Hub::receive() {
  while (link_) {
    const auto received = link_->receive();
    if (!received) link_.reset();
    if (!received || !*received) return;
    const auto& message = **received;
    if (message.type == ipc::MessageType::kPollStatus) status_ = Json::parse(text_of(message.body));
    if (message.type == ipc::MessageType::kAnswer)
      answers_.push_back(must(orders::parse_answer(payload_of(message.body))));
    if (message.type != ipc::MessageType::kFrame) continue;
    const auto parts = ipc::split_frame(message);
    const auto info = must(sframe::decode_frame(parts.frame)).info;
    frames_.push_back({to_base64url(parts.stream), (info.flags & sframe::kEnd) != 0, static_cast<Ms>(info.capture_ms)});
  }
}

void Hub::push(board::Press press) { button_->presses.push_back(press); }

Json Hub::poll() {
  status_.reset();
  for (int i = 0; i < 20 && !status_; ++i) {
    connect();
    if (i == 0) send(ipc::MessageType::kPollWanted, Bytes{});
    turn();
    if (!status_) steady_pass(1);
  }
  if (!status_) throw Broken("the gate does not answer a poll");
  return *status_;
}

void Hub::picture(bool key_frame) {
  for (const auto* view : lens->open)
    view->deliver({Bytes(200, 0x65), key_frame, static_cast<std::uint64_t>(steady_now())});
}

}  // namespace tillsyn::property
