#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "common/crypto/ed25519.h"
#include "common/orders/trust_envelope.h"
#include "tests/unit/http/tls_kit.h"

using namespace tillsyn;

namespace {

// A folder that goes with the test.
struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tillsyn-relay-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string write(const char* name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  std::filesystem::path path;
};

// The real program, with its two outputs.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments) {
    int out[2];
    int err[2];
    if (pipe(out) != 0 || pipe(err) != 0) throw std::runtime_error("pipe");
    child_ = fork();
    if (child_ == 0) become(arguments, out, err);
    close(out[1]);
    close(err[1]);
    out_ = fdopen(out[0], "r");
    err_ = fdopen(err[0], "r");
  }
  ~Program() {
    if (child_ > 0) kill(child_, SIGKILL), waitpid(child_, nullptr, 0);
    std::fclose(out_);
    std::fclose(err_);
  }

  std::string read_line() { return read_line(out_); }
  std::string read_error_line() { return read_line(err_); }
  void ask_to_stop() { kill(child_, SIGTERM); }
  int wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  [[noreturn]] static void become(const std::vector<std::string>& arguments, const int* out, const int* err) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    std::vector<std::string> all{TILLSYN_RELAY};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (auto& one : all) pointers.push_back(one.data());
    pointers.push_back(nullptr);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  static std::string read_line(FILE* from) {
    char line[512] = {};
    return std::fgets(line, sizeof line, from) == nullptr ? "" : line;
  }

  pid_t child_ = -1;
  FILE* out_ = nullptr;
  FILE* err_ = nullptr;
};

struct Setup {
  Setup() {
    const auto key = crypto::Ed25519PrivateKey::generate();
    root = folder.write("root.json", orders::format_fleet_root({1, {key.public_key()}}));
    store = (folder.path / "store").string();
  }
  std::vector<std::string> arguments(const std::string& listen = "127.0.0.1:0") const {
    return {"--listen", listen,    "--tls-cert", tls.certificate_file(), "--tls-key", tls.key_file(), "--fleet-root",
            root,       "--store", store};
  }

  Folder folder;
  test::Identity tls;
  std::string root;
  std::string store;
};

std::uint16_t port_of(Program& relay) {
  return static_cast<std::uint16_t>((*parse_json(relay.read_line()))["listening"].get<int>());
}

}  // namespace

TEST_CASE("the relay says where it listens, serves, and stops when asked", "[app]") {
  const Setup setup;
  Program relay(setup.arguments());
  const auto port = port_of(relay);
  test::Client client(port);
  CHECK(client.get("/hub/v1/trust").body() == R"({"root_list":null,"bundle":null})");
  const test::Identity link;
  test::Client hub(port, {.identity = &link});
  CHECK(test::code_of(hub.post("/hub/v1/poll", R"({"format":1,"status":null})")) == "unknown_link_key");
  test::Client page(port);
  CHECK(test::code_of(page.get("/v1/hubs")) == "no_session");
  CHECK(test::code_of(page.get("/v1/hubs", {{"Origin", "https://app.example"}})) == "foreign_origin");
  relay.ask_to_stop();
  CHECK(relay.wait() == 0);
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("the log holds neither queries nor tokens nor what foreigners call their methods", "[app]") {
  const Setup setup;
  Program relay(setup.arguments());
  test::Client client(port_of(relay));
  client.get("/v1/residents?name=secret-name", {{"Authorization", "Bearer secret-token"}});
  client.write_raw("SECRET /secret-path HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read();
  relay.ask_to_stop();
  CHECK(relay.wait() == 0);
  std::string log;
  for (std::string line; !(line = relay.read_error_line()).empty();) log += line;
  CHECK(log.find("event=request method=GET route=/v1/residents") != std::string::npos);
  CHECK(log.find("event=request method=- route=- status=404") != std::string::npos);
  CHECK(log.find("secret") == std::string::npos);
  CHECK(log.find("SECRET") == std::string::npos);
}

TEST_CASE("a bad configuration is refused with a sentence", "[app]") {
  const Setup setup;
  const auto refuses = [&](std::size_t at, const std::string& value) {
    auto arguments = setup.arguments();
    arguments[at] = value;
    Program relay(arguments);
    const bool says = relay.read_error_line().starts_with("tillsyn-relay cannot start: ");
    return relay.wait() == 1 && says;
  };
  CHECK(refuses(1, "localhost"));
  CHECK(refuses(1, "127.0.0.1:99999"));
  CHECK(refuses(3, "/nonexistent"));
  CHECK(refuses(5, setup.tls.certificate_file()));
  CHECK(refuses(7, "/nonexistent"));
  CHECK(refuses(7, setup.tls.certificate_file()));
  CHECK(refuses(9, "/proc/nowhere"));
}

TEST_CASE("a second relay on the same port or store is refused", "[app]") {
  const Setup setup;
  Program relay(setup.arguments());
  const auto port = port_of(relay);
  Program same_store(setup.arguments());
  CHECK(same_store.read_error_line().starts_with("tillsyn-relay cannot start: "));
  CHECK(same_store.wait() == 1);
  const Setup other;
  Program same_port(other.arguments("127.0.0.1:" + std::to_string(port)));
  CHECK(same_port.read_error_line().starts_with("tillsyn-relay cannot start: "));
  CHECK(same_port.wait() == 1);
}
