#include <curl/curl.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>

#include <CLI/CLI.hpp>

#include "firmware/files/files.h"
#include "firmware/link/confine.h"
#include "firmware/link/link.h"

namespace tillsyn::link {
namespace {

constexpr std::size_t kMaxConfig = 16 * 1024;

Result<Config> load_config(const std::string& path) {
  if (path.empty()) return Config();
  TILLSYN_TRY(content, files::read(path, kMaxConfig));
  if (!content) return Error{Code::kNotFound, "config", path + ": no such file"};
  return parse_config(text_of(*content));
}

UniqueFd stop_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return UniqueFd(signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
}

Result<void> run(const Config& config) {
  const UniqueFd stop = stop_signals();  // before curl makes a thread
  signal(SIGPIPE, SIG_IGN);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  TILLSYN_TRY(link, Link::make(config));
  TILLSYN_CHECK(confine(config));
  link->run(stop.get());
  return {};
}

}  // namespace
}  // namespace tillsyn::link

int main(int argc, char** argv) {
  using namespace tillsyn::link;
  spdlog::set_default_logger(spdlog::stderr_logger_st("tillsyn-link"));
  CLI::App app("Carries between the gate and the relay", "tillsyn-link");
  std::string config_path;
  Config flags;
  app.add_option("--config", config_path, "JSON: state_dir, gate_socket, control_socket");
  auto* state_dir = app.add_option("--state-dir", flags.state_dir, "Where the link key lies")->capture_default_str();
  auto* gate_socket = app.add_option("--gate-socket", flags.gate_socket, "Where gate listens")->capture_default_str();
  auto* control_socket =
      app.add_option("--control-socket", flags.control_socket, "Where tillsyn-hub asks")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  auto config = load_config(config_path);
  if (!config) return spdlog::critical("{}", config.error().message), 2;
  if (*state_dir) config->state_dir = flags.state_dir;
  if (*gate_socket) config->gate_socket = flags.gate_socket;
  if (*control_socket) config->control_socket = flags.control_socket;
  const auto ran = run(*config);
  if (!ran) return spdlog::critical("{}", ran.error().message), 2;
  return 0;
}
