#pragma once

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "common/base/json.h"
#include "firmware/files/files.h"
#include "firmware/ipc/address.h"
#include "firmware/ipc/connection.h"
#include "tests/fakes/tls_relay.h"
#include "tests/unit/temp_dir.h"

// The real tillsyn-link, confined as always, between the test in gate's place and a TLS peer in the relay's place.
namespace tillsyn::test {

constexpr int kPatienceMs = 20000;

// What the relay's threads have seen, for the test to wait for.
class Inbox {
 public:
  void put(const SeenRequest& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request);
    changed_.notify_all();
  }
  // The first request to `path` that has not been taken; the ones before it stay.
  SeenRequest take(const std::string& path) {
    std::unique_lock lock(mutex_);
    std::deque<SeenRequest>::iterator found;
    const bool came = changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs), [&] {
      found = std::find_if(seen_.begin(), seen_.end(), [&](const auto& r) { return r.path == path; });
      return found != seen_.end();
    });
    REQUIRE(came);
    SeenRequest request = *found;
    seen_.erase(found);
    return request;
  }
  std::size_t count(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(seen_.begin(), seen_.end(), [&](const auto& r) { return r.path == path; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SeenRequest> seen_;
};

inline const std::string kHub = to_base64url(Bytes(32, 7));

// The test in gate's place. Poll questions are answered on the way, as gate does.
class FakeGate {
 public:
  explicit FakeGate(const std::string& path) : listener_(ipc::Listener::open(path).value()) {}

  void meet() {
    wait(listener_.fd());
    connection_.emplace(std::move(*listener_.accept()->operator->()));
    CHECK(text_of(expect(ipc::MessageType::kHello)) == std::string(1, ipc::kProtocolVersion));
    Bytes hello{ipc::kProtocolVersion};
    append(hello, view_of(kHub));
    say(ipc::MessageType::kGateHello, hello);
  }
  void tell_relay(const std::string& host, const std::optional<std::string>& ca) {
    const Json relay{{"host", host}, {"ca", ca ? Json(*ca) : Json()}};
    say(ipc::MessageType::kRelays, view_of(Json::array({relay}).dump()));
  }
  void say(ipc::MessageType type, ByteView body) { REQUIRE(*connection_->send(type, body) == ipc::Sent::kSent); }
  void say(ipc::MessageType type, const std::string& text) { say(type, view_of(text)); }

  // The next message of this type; polls are answered, anything else fails the test.
  Bytes expect(ipc::MessageType type) {
    for (;;) {
      const auto message = connection_->receive();
      REQUIRE(message.ok());
      if (!*message) {
        wait(connection_->fd());
        continue;
      }
      CAPTURE(static_cast<int>((*message)->type), static_cast<int>(type));
      if ((*message)->type == type) return Bytes((*message)->body.begin(), (*message)->body.end());
      REQUIRE((*message)->type == ipc::MessageType::kPollWanted);
      if (answers_polls)
        say(ipc::MessageType::kPollStatus, R"({"state":"enrolled","views":)" + std::to_string(++polls_) + "}");
    }
  }
  void answer_one_poll() {
    expect(ipc::MessageType::kPollWanted);
    say(ipc::MessageType::kPollStatus, R"({"state":"enrolled"})");
  }
  void leave() { connection_.reset(); }

  bool answers_polls = true;

 private:
  void wait(int fd) {
    pollfd ready{fd, POLLIN, 0};
    REQUIRE(poll(&ready, 1, kPatienceMs) == 1);
  }

  ipc::Listener listener_;
  std::optional<ipc::Connection> connection_;
  int polls_ = 0;
};

class Program {
 public:
  explicit Program(const TempDir& dir) : dir_(dir) {
    std::vector<std::string> words{TILLSYN_LINK,      "--state-dir",      dir.path(),    "--gate-socket",
                                   dir / "gate.sock", "--control-socket", control_path()};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    // The leak check of AddressSanitizer traces itself, which link forbids; the parts are checked for leaks in
    // parts_test.
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    REQUIRE(posix_spawn(&process_, arguments[0], nullptr, nullptr, arguments.data(), environ) == 0);
  }
  ~Program() { stop(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  int stop() {
    if (process_ <= 0) return -1;
    int status = 0;
    kill(process_, SIGTERM);
    waitpid(process_, &status, 0);
    process_ = -1;
    return status;
  }
  pid_t process() const { return process_; }

  // Asks on the control socket; `wait` takes the answer.
  UniqueFd ask(const std::string& text) const {
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto address = ipc::unix_address(control_path());
    int connected = -1;
    for (int waited = 0; connected != 0 && waited < kPatienceMs; waited += 5) {
      connected = connect(socket.get(), ipc::as_sockaddr(*address), sizeof *address);
      if (connected != 0) poll(nullptr, 0, 5);
    }
    REQUIRE(connected == 0);
    REQUIRE(send(socket.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return socket;
  }
  static Json wait(const UniqueFd& socket) {
    pollfd ready{socket.get(), POLLIN, 0};
    REQUIRE(poll(&ready, 1, 2 * kPatienceMs) == 1);
    std::string text(65536, '\0');
    const ssize_t got = recv(socket.get(), text.data(), text.size(), 0);
    REQUIRE(got > 0);
    text.resize(static_cast<std::size_t>(got));
    return *parse_json(text);
  }
  Json status() const { return wait(ask(R"({"do":"status"})")); }
  // Until the status says so.
  Json status_where(const std::function<bool(const Json&)>& holds) const {
    Json last;
    for (int waited = 0; waited < kPatienceMs; waited += 20) {
      last = status();
      if (holds(last)) return last;
      poll(nullptr, 0, 20);
    }
    FAIL("status never as wanted: " << last.dump());
    return last;
  }

 private:
  std::string control_path() const { return dir_ / "control.sock"; }

  const TempDir& dir_;
  pid_t process_ = -1;
};

inline std::string enrol_request() { return R"({"do":"enrol","code":"ABCD-EFGH","relay":null})"; }

inline std::string envelope(const Json& payload) {
  return Json{{"payload", payload.dump()}, {"sig", to_base64url(Bytes(64, 1))}}.dump();
}

// A relay that says yes to all, and holds each poll until the test has an answer for it.
struct Relay {
  GivenReply answer(const SeenRequest& request) {
    inbox.put(request);
    const std::lock_guard lock(mutex);
    const auto next = answers.find(request.path);
    if (next != answers.end() && !next->second.empty()) {
      GivenReply reply = next->second.front();
      next->second.pop_front();
      return reply;
    }
    if (request.path == "/hub/v1/enrol") return {200, Json{{"hub", kHub}, {"provider", "north"}}.dump()};
    if (request.path == "/hub/v1/report") return {200, R"({"events_acked":0})"};
    return {200, R"({"root_list":null,"bundle":null,"orders":[],"views":[],"events_acked":0})"};
  }
  void will_answer(const std::string& path, int status, const std::string& body) {
    const std::lock_guard lock(mutex);
    answers[path].push_back({status, body});
  }

  Inbox inbox;
  std::mutex mutex;
  std::map<std::string, std::deque<GivenReply>> answers;
};

struct House {
  explicit House(TlsRelay::OnStream on_stream = {}, TlsRelay::Options options = {})
      : tls([this](const auto& request) { return relay.answer(request); }, std::move(on_stream), options) {}

  // As a hub that was enrolled before.
  void be_enrolled() const {
    const std::string text = Json{{"hub", kHub}, {"provider", "north"}}.dump();
    REQUIRE(files::write_private(dir / "enrolled.json", view_of(text)).ok());
  }
  void start() {
    program.emplace(dir);
    gate.meet();
    gate.tell_relay(tls.host(), tls.ca_pem());
  }

  TempDir dir;
  Relay relay;
  TlsRelay tls;
  FakeGate gate{dir / "gate.sock"};
  std::optional<Program> program;
};

inline Bytes stream_frame(std::uint8_t flags, char fill, std::size_t payload = 1000) {
  Bytes frame;
  append_u32(frame, static_cast<std::uint32_t>(9 + payload));
  frame.push_back(flags);
  append_u64(frame, 0);
  frame.resize(frame.size() + payload, static_cast<std::uint8_t>(fill));
  return frame;
}

inline const Bytes kStream(16, 0xab);

inline Bytes frame_message(const Bytes& frame) {
  Bytes body = kStream;
  append(body, frame);
  return body;
}

constexpr const char* kStreamHeader = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace tillsyn::test
