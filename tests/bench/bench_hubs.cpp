// Thousands of hubs as a relay knows them: TLS under a client certificate, from an address each, asking over a kept
// connection. With --make it makes link keys instead, as JSON lines {"key","cert","point"}.
//
// Reads {"address","key","cert","request"} a line from --hubs and connects them all. Without --rate each asks again
// when it has been answered, as a link does; with --rate they ask so many times a second in all, each at its own pace,
// whether or not the last was answered. Whoever loses the relay comes back with the link's own back-off. On every line
// of standard input it prints what has come of it so far; it ends with its input.
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <queue>
#include <random>

#include "common/base/bytes.h"
#include "firmware/link/backoff.h"

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using tillsyn::link::Backoff;

void must(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

X509* self_signed(EVP_PKEY* key) {
  X509* cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert), 30L * 86400);
  X509_set_pubkey(cert, key);
  X509_NAME* name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("link"), -1, -1, 0);
  X509_set_issuer_name(cert, name);
  X509_sign(cert, key, EVP_sha256());
  return cert;
}

void make_link_key() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* cert = self_signed(key);
  BIO* key_text = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr, nullptr);
  BIO* cert_text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(cert_text, cert);
  unsigned char* point = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &point);
  std::cout << json{{"key", text_of(key_text)},
                    {"cert", text_of(cert_text)},
                    {"point", tillsyn::to_base64url(tillsyn::ByteView(point, size))}}
            << "\n";
  OPENSSL_free(point);
  X509_free(cert);
  EVP_PKEY_free(key);
}

struct Hub {
  sockaddr_in from{};
  EVP_PKEY* key = nullptr;
  X509* cert = nullptr;
  std::string request;

  enum class State { kAway, kConnecting, kShaking, kReady } state = State::kAway;
  int fd = -1;
  SSL* ssl = nullptr;
  std::string unsent;
  std::string received;
  unsigned waits_for = 0;  // answers
  std::unique_ptr<Backoff> backoff;
};

struct Counts {
  std::uint64_t answers = 0, refused = 0, connected = 0, lost = 0, failed = 0;
};

class Fleet {
 public:
  Fleet(std::uint16_t port, double rate, double connect)
      : rate_(rate), connect_(connect), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(port);
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tls_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(tls_, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_mode(tls_,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    watch(STDIN_FILENO, EPOLLIN, kInput, EPOLL_CTL_ADD);
  }

  void read(const std::string& file) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
      const json given = json::parse(line);
      Hub hub;
      hub.from.sin_family = AF_INET;
      inet_pton(AF_INET, given.at("address").get<std::string>().c_str(), &hub.from.sin_addr);
      const std::string key = given.at("key"), cert = given.at("cert");
      hub.key = PEM_read_bio_PrivateKey(BIO_new_mem_buf(key.data(), -1), nullptr, nullptr, nullptr);
      hub.cert = PEM_read_bio_X509(BIO_new_mem_buf(cert.data(), -1), nullptr, nullptr, nullptr);
      hub.request = given.at("request");
      hub.backoff = std::make_unique<Backoff>([this] { return static_cast<std::uint32_t>(random_()); });
      hubs_.push_back(std::move(hub));
    }
  }

  void run() {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < hubs_.size(); ++i) after(start + nth(i, connect_), i);
    std::vector<epoll_event> events(512);
    while (!is_over_) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
      for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == kInput) {
          take_input();
        } else {
          step(event.data.u64);
        }
      }
      while (!due_.empty() && due_.top().first <= Clock::now()) {
        const std::size_t hub = due_.top().second;
        due_.pop();
        its_turn(hub);
      }
    }
  }

 private:
  static constexpr std::uint64_t kInput = ~std::uint64_t{0};
  using Due = std::pair<Clock::time_point, std::size_t>;

  // The moment of the ith when there are so many a second.
  static Clock::duration nth(std::size_t i, double a_second) {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(i) / a_second));
  }
  Clock::duration round() const { return nth(hubs_.size(), rate_); }

  void after(Clock::time_point at, std::size_t hub) { due_.emplace(at, hub); }

  int wait_ms() const {
    if (due_.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_.top().first - Clock::now()).count();
    return static_cast<int>(std::max<long>(0, left));
  }

  void watch(int fd, std::uint32_t events, std::uint64_t what, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = what;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void take_input() {
    char line[256];
    const auto size = ::read(STDIN_FILENO, line, sizeof line);
    if (size <= 0) {
      is_over_ = true;
      return;
    }
    std::cout << json{{"held", held_},
                      {"answers", total_.answers},
                      {"refused", total_.refused},
                      {"connected", total_.connected},
                      {"lost", total_.lost},
                      {"failed", total_.failed}}
              << std::endl;
  }

  void its_turn(std::size_t i) {
    Hub& hub = hubs_[i];
    if (hub.state == Hub::State::kAway) return connect(i);
    if (hub.state != Hub::State::kReady) return;
    if (rate_ > 0 || hub.waits_for == 0) ask(i);
    if (rate_ > 0 && hub.state == Hub::State::kReady) after(Clock::now() + round(), i);
  }

  void connect(std::size_t i) {
    Hub& hub = hubs_[i];
    hub.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(hub.fd >= 0, "socket");
    must(bind(hub.fd, reinterpret_cast<const sockaddr*>(&hub.from), sizeof hub.from) == 0, "bind");
    const int done = ::connect(hub.fd, reinterpret_cast<const sockaddr*>(&to_), sizeof to_);
    if (done != 0 && errno != EINPROGRESS) return lose(i);
    hub.state = Hub::State::kConnecting;
    watch(hub.fd, EPOLLIN | EPOLLOUT | EPOLLET, i, EPOLL_CTL_ADD);
  }

  void begin_tls(Hub& hub) {
    hub.ssl = SSL_new(tls_);
    SSL_use_certificate(hub.ssl, hub.cert);
    SSL_use_PrivateKey(hub.ssl, hub.key);
    SSL_set_fd(hub.ssl, hub.fd);
    hub.state = Hub::State::kShaking;
  }

  void step(std::size_t i) {
    Hub& hub = hubs_[i];
    if (hub.state == Hub::State::kConnecting) begin_tls(hub);
    if (hub.state == Hub::State::kShaking && !shake(i)) return;
    if (hub.state == Hub::State::kReady && flush(i)) listen(i);
  }

  bool shake(std::size_t i) {
    Hub& hub = hubs_[i];
    const int done = SSL_connect(hub.ssl);
    if (done == 1) {
      hub.state = Hub::State::kReady;
      ++total_.connected;
      ask(i);
      if (rate_ > 0) after(Clock::now() + round(), i);
      return true;
    }
    if (!would_wait(hub, done)) lose(i);
    return false;
  }

  static bool would_wait(Hub& hub, int outcome) {
    const int why = SSL_get_error(hub.ssl, outcome);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }

  void ask(std::size_t i) {
    Hub& hub = hubs_[i];
    hub.unsent += hub.request;
    if (hub.waits_for++ == 0) ++held_;
    flush(i);
  }

  bool flush(std::size_t i) {
    Hub& hub = hubs_[i];
    while (!hub.unsent.empty()) {
      const int done = SSL_write(hub.ssl, hub.unsent.data(), static_cast<int>(hub.unsent.size()));
      if (done <= 0) {
        if (would_wait(hub, done)) return true;
        lose(i);
        return false;
      }
      hub.unsent.erase(0, static_cast<std::size_t>(done));
    }
    hub.unsent.shrink_to_fit();
    return true;
  }

  void listen(std::size_t i) {
    Hub& hub = hubs_[i];
    char buffer[16 * 1024];
    for (;;) {
      const int size = SSL_read(hub.ssl, buffer, sizeof buffer);
      if (size <= 0) {
        if (!would_wait(hub, size)) return lose(i);
        break;
      }
      hub.received.append(buffer, static_cast<std::size_t>(size));
    }
    while (hub.state == Hub::State::kReady && take_answer(i)) {
    }
    if (hub.received.empty()) hub.received.shrink_to_fit();
  }

  bool take_answer(std::size_t i) {
    Hub& hub = hubs_[i];
    const auto head = hub.received.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const auto name = hub.received.find("Content-Length: ");
    must(name < head, "an answer without Content-Length");
    const std::size_t end = head + 4 + std::stoul(hub.received.substr(name + 16, 12));
    if (hub.received.size() < end) return false;
    const bool is_good = hub.received.compare(9, 3, "200") == 0;
    hub.received.erase(0, end);
    must(hub.waits_for > 0, "an answer that nobody asked for");
    if (--hub.waits_for == 0) --held_;
    ++(is_good ? total_.answers : total_.refused);
    if (is_good) hub.backoff->succeeded();
    if (rate_ > 0) return true;
    if (is_good) {
      ask(i);
    } else {
      after(Clock::now() + hub.backoff->failed(), i);
    }
    return true;
  }

  void lose(std::size_t i) {
    Hub& hub = hubs_[i];
    ++(hub.state == Hub::State::kReady ? total_.lost : total_.failed);
    if (hub.ssl != nullptr) SSL_free(hub.ssl);
    ::close(hub.fd);
    if (hub.waits_for > 0) --held_;
    hub.ssl = nullptr;
    hub.fd = -1;
    hub.waits_for = 0;
    hub.unsent.clear();
    hub.received.clear();
    hub.state = Hub::State::kAway;
    after(Clock::now() + hub.backoff->failed(), i);
  }

  double rate_;
  double connect_;
  int epoll_;
  sockaddr_in to_{};
  SSL_CTX* tls_ = nullptr;
  std::mt19937 random_{1};
  std::vector<Hub> hubs_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  Counts total_;
  std::size_t held_ = 0;  // hubs that wait for an answer
  bool is_over_ = false;
};

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  int make = 0;
  std::string hubs;
  std::uint16_t port = 0;
  double rate = 0;
  double connect = 300;
  CLI::App app("Thousands of hubs");
  app.add_option("--make", make, "So many link keys");
  app.add_option("--hubs", hubs);
  app.add_option("--port", port);
  app.add_option("--rate", rate, "Requests a second in all");
  app.add_option("--connect", connect, "First connections a second");
  CLI11_PARSE(app, argc, argv);
  for (int i = 0; i < make; ++i) make_link_key();
  if (make > 0) return 0;
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  Fleet fleet(port, rate, connect);
  fleet.read(hubs);
  std::cout << json{{"ready", true}} << std::endl;
  fleet.run();
  return 0;
}
