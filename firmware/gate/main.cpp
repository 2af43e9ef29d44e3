#include <fcntl.h>
#include <sched.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "firmware/board/parts.h"
#include "firmware/files/files.h"
#include "firmware/gate/confine.h"
#include "firmware/gate/gate.h"
#include "firmware/gate/retired.h"

// tillsyn-gate: owns camera, button, device key, orders and the hub's log, and has no network. firmware/README.md.
namespace tillsyn::gate {
namespace {

constexpr std::size_t kMaxTrustFile = std::size_t{512} * 1024;

struct Options {
  std::string board;
  std::string state;
  std::string socket;
  std::string fleet_root;
  std::string root_list;
  int feed = -1;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--board", options.board, "The board's description, board.json")->required()->check(CLI::ExistingFile);
  app.add_option("--state", options.state, "Folder for key, orders and log")->required()->check(CLI::ExistingDirectory);
  app.add_option("--socket", options.socket, "Where to listen for tillsyn-link")->required();
  app.add_option("--fleet-root", options.fleet_root, "The pinned fleet root")->required()->check(CLI::ExistingFile);
  app.add_option("--root-list", options.root_list, "The root list that was flashed");
  app.add_option("--feed-fd", options.feed, "Descriptor to the fuse; without it no camera is opened");
}

Result<std::string> read_text(const std::string& path) {
  TILLSYN_TRY(bytes, files::read(path, kMaxTrustFile));
  return bytes ? text_of(*bytes) : std::string();
}

// Nobody but the loop takes signals. To be called before there are threads.
UniqueFd catch_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is the store's fault, said and survived
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  return UniqueFd(signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
}

Territory territory_of(const Options& options, const board::BoardDescription& board) {
  namespace fs = std::filesystem;
  Territory territory;
  territory.readable = {"/usr",
                        "/lib",
                        "/lib64",
                        "/etc/fonts",
                        "/etc/ld.so.cache",
                        "/etc/localtime",
                        "/var/cache/fontconfig",
                        "/proc/self",
                        "/proc/cpuinfo",
                        "/proc/meminfo",
                        "/proc/stat",
                        "/sys/devices",
                        "/sys/class",
                        "/sys/bus",
                        "/dev/urandom",
                        fs::absolute(options.board).parent_path().string()};
  territory.writable = {options.state, "/dev/null"};
  for (const auto& path : board.camera_paths) territory.writable.push_back(path);
  for (const auto& camera : board.cameras) territory.writable.push_back(camera.path);
  return territory;
}

Result<Cameras> make_cameras(const board::BoardDescription& board) {
  Cameras cameras;
  for (const auto& described : board.cameras) {
    const camera::SourceSettings settings{described.source, described.path, described.width, described.height,
                                          described.frame_rate};
    TILLSYN_TRY(made, camera::make_camera(settings));
    cameras.emplace(described.id, std::move(made));
  }
  return cameras;
}

// GStreamer finds its plug-ins by running programs, which we no longer may once confined: a child does it beforehand.
void build_registry(const std::string& path) {
  setenv("GST_REGISTRY", path.c_str(), 1);
  if (!std::filesystem::exists(path)) {
    const pid_t child = fork();
    if (child == 0) _exit(camera::prepare().ok() ? 0 : 1);
    waitpid(child, nullptr, 0);
  }
  setenv("GST_REGISTRY_UPDATE", "no", 1);
}

std::string store_path(const Options& options) { return options.state + "/gate.db"; }

Result<Gate::Parts> make_parts(const Options& options, const board::BoardDescription& board,
                               const board::KeyPlace& place) {
  TILLSYN_TRY(root_text, read_text(options.fleet_root));
  TILLSYN_TRY(fleet_root, orders::parse_fleet_root(root_text));
  TILLSYN_TRY(root_list, options.root_list.empty() ? Result<std::string>(std::string()) : read_text(options.root_list));
  TILLSYN_TRY(keys, place.open());
  TILLSYN_TRY(source, board::make_clock_source(board));
  TILLSYN_TRY(button, board::make_button(board));
  TILLSYN_TRY(listener, ipc::Listener::open(options.socket));
  return Gate::Parts{.home_settings = {store_path(options), fleet_root, root_list},
                     .keys = std::move(keys),
                     .clock = std::make_unique<board::Clock>(std::move(source), Instant()),
                     .button = std::move(button),
                     .cameras = {},
                     .hardware = Hardware(board, options.state),
                     .listener = std::move(listener),
                     .fuse = UniqueFd(options.feed),
                     .stop = catch_signals()};
}

constexpr int kLoopPriority = 5;

// The loop judges on time however busy the encoder keeps the machine. Best effort: where it is not granted, fuse ends a
// gate that judges too late. Asked for while there are still rights to be asked with, taken once the media libraries
// have made their thread pools, which would copy it.
void ask_priority() {
  const rlimit allowed{kLoopPriority, kLoopPriority};
  setrlimit(RLIMIT_RTPRIO, &allowed);
}
void take_priority() {
  const sched_param priority{kLoopPriority};
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) != 0)
    spdlog::warn("no real-time priority here");
}

// Under the same confinement: it hears the same link.
Result<void> run_retired(const Options& options, const board::BoardDescription& board, std::string hub) {
  spdlog::warn("the device key of hub {} has been destroyed", hub);
  TILLSYN_TRY(listener, ipc::Listener::open(options.socket));
  UniqueFd stop = catch_signals();
  TILLSYN_CHECK(confine_process(territory_of(options, board)));
  TILLSYN_TRY(store, Store::open(store_path(options)));
  TILLSYN_CHECK(confine_system_calls());
  return Retired({std::move(hub), std::move(store), std::move(listener), UniqueFd(options.feed), std::move(stop)})
      .run();
}

Result<void> run(const Options& options) {
  TILLSYN_TRY(board, board::load_board(options.board));
  TILLSYN_TRY(place, board::make_key_place(board, options.state));
  TILLSYN_TRY(retired, Retired::find(*place, store_path(options)));
  if (retired) return run_retired(options, board, std::move(*retired));
  TILLSYN_TRY(parts, make_parts(options, board, *place));
  build_registry(options.state + "/gstreamer-registry.bin");
  ask_priority();
  TILLSYN_CHECK(confine_process(territory_of(options, board)));
  TILLSYN_CHECK(camera::prepare());
  take_priority();
  TILLSYN_TRY(cameras, make_cameras(board));
  parts.cameras = std::move(cameras);
  TILLSYN_TRY(home, Home::open(parts.home_settings, *parts.keys));
  TILLSYN_TRY(floor, home->floor());
  parts.clock->raise_floor(floor);
  TILLSYN_CHECK(confine_system_calls());
  spdlog::info("hub {}", parts.keys->hub());
  return Gate(std::move(parts), std::move(home)).run();
}

}  // namespace
}  // namespace tillsyn::gate

int main(int argc, char** argv) {
  CLI::App app("Decides whether the camera may look", "tillsyn-gate");
  tillsyn::gate::Options options;
  tillsyn::gate::add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  spdlog::set_default_logger(spdlog::stderr_logger_st("gate"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %n %l %v", spdlog::pattern_time_type::utc);
  const auto outcome = tillsyn::gate::run(options);
  if (!outcome) spdlog::critical("{}", outcome.error().message);
  return outcome ? 0 : 1;
}
