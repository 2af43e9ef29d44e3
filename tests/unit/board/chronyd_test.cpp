// The real chronyd as server and as client, on loopback; neither sets the machine's clock (-x).
#include <arpa/inet.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "firmware/board/chrony_clock.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;
using namespace tillsyn::board;
using namespace std::chrono_literals;

namespace {

// A port that nobody has now.
int free_port(int type) {
  const UniqueFd fd(::socket(AF_INET, type, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(fd.get(), generic, size) == 0);
  REQUIRE(::getsockname(fd.get(), generic, &size) == 0);
  return ntohs(address.sin_port);
}

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

template <typename Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

// A chronyd with a folder, and so a command socket, of its own.
class Chronyd {
 public:
  explicit Chronyd(const std::string& settings) {
    const std::string common = "cmdport 0\nbindcmdaddress " + socket() + "\npidfile " + (folder_ / "pid") + "\n";
    std::ofstream(folder_ / "chrony.conf") << settings << common;
    start();
  }
  ~Chronyd() { stop(); }

  void stop() {
    if (process_ <= 0) return;
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  std::string socket() const { return folder_ / "chronyd.sock"; }
  bool has_logged(const std::string& text) const { return read_file(folder_ / "log").find(text) != std::string::npos; }

 private:
  void start() {
    const std::string configuration = folder_ / "chrony.conf";
    const std::string log = folder_ / "log";
    const std::string user = getpwuid(geteuid())->pw_name;
    process_ = fork();
    if (process_ != 0) return;
    if (freopen(log.c_str(), "w", stderr) == nullptr) _exit(126);
    execl(TILLSYN_CHRONYD, "chronyd", "-x", "-U", "-d", "-u", user.c_str(), "-f", configuration.c_str(), nullptr);
    _exit(127);
  }

  test::TempDir folder_;
  pid_t process_ = 0;
};

// A server with NTS under a certificate of the test's own authority.
struct Town {
  Town() {
    const std::string make =
        std::string(TILLSYN_NTS_CERTIFICATES) + " " + folder.path() + " >" + (folder / "log") + " 2>&1";
    REQUIRE(std::system(make.c_str()) == 0);
    server.emplace("local stratum 1\nallow 127.0.0.1\nbindaddress 127.0.0.1\nntsprocesses 0\nport " +
                   std::to_string(ntp_port) + "\nntsport " + std::to_string(nts_port) + "\nntsserverkey " +
                   (folder / "server.key") + "\nntsservercert " + (folder / "server.pem") + "\n");
  }

  std::string client_settings(const std::string& authority, int key_port) const {
    return "server localhost port " + std::to_string(ntp_port) + " nts ntsport " + std::to_string(key_port) +
           " iburst minpoll -2 maxpoll -2\nport 0\nnosystemcert\nntstrustedcerts " + (folder / authority) + "\n";
  }

  test::TempDir folder;
  int ntp_port = free_port(SOCK_DGRAM);
  int nts_port = free_port(SOCK_STREAM);
  std::optional<Chronyd> server;
};

// What a hub would see of that client.
struct Seen {
  explicit Seen(const Chronyd& client) : clock(*ChronyClockSource::open(client.socket()), Instant()) {}

  bool word_comes(const std::string& word) {
    return comes_true([&] { return clock.read().word == word; });
  }

  Clock clock;
};

}  // namespace

TEST_CASE(
    "chronyd that follows a server by NTS is believed, and a hub coasts when first the server and then chronyd is gone",
    "[chronyd][ENF-4][LOG-14]") {
  Town town;
  Chronyd client(town.client_settings("ca.pem", town.nts_port));
  Seen hub(client);
  CHECK(hub.clock.read().state == ClockState::kNeverSynchronised);
  REQUIRE(hub.word_comes("synchronised"));
  CHECK(hub.clock.read().is_trusted());

  // chronyd goes on saying that it is synchronised: that its update grows old is for us to see.
  town.server->stop();
  REQUIRE(comes_true([&] { return client.has_logged("no selectable sources"); }));
  CHECK(hub.clock.read().is_trusted());
  CHECK(std::string(hub.clock.read().word) == "synchronised");

  client.stop();
  REQUIRE(hub.word_comes("no_answer"));
  CHECK(hub.clock.read().is_trusted());
}

TEST_CASE("the update that chronyd names is its last one, and stays when the server is gone", "[chronyd][ENF-4]") {
  Town town;
  Chronyd client(town.client_settings("ca.pem", town.nts_port));
  const auto source = *ChronyClockSource::open(client.socket());
  std::optional<Milliseconds> first;
  REQUIRE(comes_true([&] { return (first = source->sample().updated_at).has_value(); }));
  CHECK(monotonic_raw() - *first < 10s);
  REQUIRE(comes_true([&] { return source->sample().updated_at > first; }));
  CHECK(source->sample().max_error < 1s);

  town.server->stop();
  REQUIRE(comes_true([&] { return client.has_logged("no selectable sources"); }));
  const auto settled = monotonic_raw() + 3 * ChronyClockSource::kAskEvery;
  REQUIRE(comes_true([&] { return std::ignore = source->sample(), monotonic_raw() > settled; }));
  const ClockSample last = source->sample();
  CHECK(last.synchronised);
  CHECK(last.updated_at < settled - 3 * ChronyClockSource::kAskEvery);
}

TEST_CASE("a server under another authority's certificate, or without NTS, is never believed", "[chronyd][ENF-4]") {
  Town town;
  const bool has_nts = GENERATE(true, false);
  Chronyd client(has_nts ? town.client_settings("other-ca.pem", town.nts_port)
                         : town.client_settings("ca.pem", free_port(SOCK_STREAM)));
  Seen hub(client);
  REQUIRE(comes_true([&] {
    return client.has_logged(has_nts ? "TLS handshake with" : "Could not connect to") &&
           hub.clock.read().word == std::string("not_synchronised");
  }));
  CHECK(hub.clock.read().state == ClockState::kNeverSynchronised);
}

TEST_CASE("one server is not enough where two must agree", "[chronyd][ENF-4]") {
  Town town;
  Chronyd control(town.client_settings("ca.pem", town.nts_port));
  Chronyd client(town.client_settings("ca.pem", town.nts_port) + "minsources 2\n");
  Seen hub(client);
  Seen other(control);
  REQUIRE(other.word_comes("synchronised"));
  REQUIRE(hub.word_comes("not_synchronised"));
  const auto settled = monotonic_raw() + 5s;
  REQUIRE(comes_true(
      [&] { return hub.clock.read().state != ClockState::kNeverSynchronised || monotonic_raw() > settled; }));
  CHECK(hub.clock.read().state == ClockState::kNeverSynchronised);
}

TEST_CASE("the board's own chrony.conf is one that chronyd reads", "[chronyd][ENF-4][LOG-14]") {
  test::TempDir folder;
  const std::string command =
      std::string(TILLSYN_CHRONYD) + " -p -f " TILLSYN_BOARDS "/pc-x86_64/chrony.conf >" + (folder / "out") + " 2>&1";
  CHECK(std::system(command.c_str()) == 0);
  std::ifstream lines(folder / "out");
  std::vector<std::string> servers;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("server ") || line.starts_with("pool ")) servers.push_back(line);
  CHECK(servers.size() >= 3);
  for (const auto& server : servers) CHECK(server.find(" nts") != std::string::npos);
}
