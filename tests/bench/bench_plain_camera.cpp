// The unencrypted baseline's camera: the camera library as the gate uses it, its pictures over plain TCP to a relay on
// this machine as u32 length | u8 flags (1 key frame) | u64 capture time | H.264, the frame of PROTOCOL.md without its
// SFrame. With --clocks it only prints what CLOCK_MONOTONIC_RAW and the wall say at the same instant.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <thread>

#include "common/base/unique_fd.h"
#include "firmware/camera/camera.h"

using namespace tillsyn;

namespace {

double now_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// The reading with the least time between the two, of many.
void print_clocks() {
  double raw = 0, wall = 0, closest = 1e9;
  for (int i = 0; i < 1000; ++i) {
    const double before = now_ms(CLOCK_MONOTONIC_RAW);
    const double between = now_ms(CLOCK_REALTIME);
    const double after = now_ms(CLOCK_MONOTONIC_RAW);
    if (after - before >= closest) continue;
    closest = after - before;
    raw = (before + after) / 2;
    wall = between;
  }
  std::printf("{\"mono_raw_ms\":%.3f,\"wall_ms\":%.3f}\n", raw, wall);
}

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int at_once = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return UniqueFd();
  return fd;
}

bool send_picture(int fd, const camera::AccessUnit& unit) {
  Bytes out;
  append_u32(out, static_cast<std::uint32_t>(1 + 8 + unit.data.size()));
  out.push_back(unit.key_frame ? 1 : 0);
  append_u64(out, unit.capture_mono_ms);
  append(out, unit.data);
  return send(fd, out.data(), out.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(out.size());
}

int stream(const std::string& recording, std::uint16_t port, double seconds, unsigned kbit) {
  const UniqueFd fd = connect_to(port);
  const auto camera = camera::make_camera({"recording", recording});
  if (!fd.is_open() || !camera) return std::fprintf(stderr, "no relay or no camera\n"), 1;
  std::atomic<double> first = 0;
  const double opened = now_ms(CLOCK_MONOTONIC_RAW);
  const auto deliver = [&](const camera::AccessUnit& unit) {
    if (first == 0) first = now_ms(CLOCK_MONOTONIC_RAW);
    send_picture(fd.get(), unit);
  };
  auto view = (*camera)->open(
      {{"X7K2M4", "K7M4", "anna.berg"}, kbit, [] { return std::string("2026-11-22 20:15:07Z"); }, deliver});
  if (!view) return std::fprintf(stderr, "%s\n", view.error().message.c_str()), 1;
  while (now_ms(CLOCK_MONOTONIC_RAW) - opened < seconds * 1e3 && !(*view)->failure()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  view->reset();
  std::printf("{\"open_to_first_ms\":%.1f}\n", first - opened);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string recording;
  std::uint16_t port = 0;
  double seconds = 20;
  unsigned kbit = 800;
  bool clocks = false;
  CLI::App app("A camera over plain TCP");
  app.add_flag("--clocks", clocks);
  app.add_option("--recording", recording);
  app.add_option("--port", port);
  app.add_option("--seconds", seconds);
  app.add_option("--kbit", kbit);
  CLI11_PARSE(app, argc, argv);
  if (clocks) return print_clocks(), 0;
  if (const auto prepared = camera::prepare(); !prepared)
    return std::fprintf(stderr, "%s\n", prepared.error().message.c_str()), 1;
  return stream(recording, port, seconds, kbit);
}
