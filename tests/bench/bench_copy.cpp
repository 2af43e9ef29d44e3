// The least that forwarding a stream can cost: bytes copied from one socket to another, opened and sealed with
// AES-256-GCM on the way, a TLS record at a time. Every connection taken goes on to --to. Says {"listening":port} when
// ready.
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>

namespace {

constexpr int kRecord = 16 * 1024;

void must(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

class Copier {
 public:
  explicit Copier(std::uint16_t to) : to_(loopback(to)) {
    key_.fill(7);
    must(EVP_DecryptInit_ex(open_, EVP_aes_256_gcm(), nullptr, key_.data(), nonce_.data()) == 1, "AES-GCM");
    must(EVP_EncryptInit_ex(seal_, EVP_aes_256_gcm(), nullptr, key_.data(), nonce_.data()) == 1, "AES-GCM");
  }

  void serve() {
    auto here = loopback(0);
    socklen_t size = sizeof here;
    must(bind(listener_, reinterpret_cast<sockaddr*>(&here), size) == 0 && listen(listener_, SOMAXCONN) == 0, "listen");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    std::printf("{\"listening\":%d}\n", ntohs(here.sin_port));
    std::fflush(stdout);
    add(nullptr, listener_);
    std::array<epoll_event, 64> events{};
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto* way = static_cast<Way*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (way == nullptr) {
          take();
        } else {
          forward(way);
        }
      }
    }
  }

 private:
  struct Way {
    int from;
    int to;
  };

  void add(Way* way, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = way;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void take() {
    const int from = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(connect(to, reinterpret_cast<const sockaddr*>(&to_), sizeof to_) == 0, "connect");
    add(new Way{from, to}, from);
  }

  void forward(Way* way) {
    const auto size = recv(way->from, in_.data(), in_.size(), 0);
    if (size <= 0) {
      ::close(way->from);
      ::close(way->to);
      delete way;
      return;
    }
    int done = 0;
    EVP_DecryptInit_ex(open_, nullptr, nullptr, nullptr, nonce_.data());
    EVP_DecryptUpdate(open_, between_.data(), &done, in_.data(), static_cast<int>(size));
    EVP_EncryptInit_ex(seal_, nullptr, nullptr, nullptr, nonce_.data());
    EVP_EncryptUpdate(seal_, out_.data(), &done, between_.data(), static_cast<int>(size));
    must(send(way->to, out_.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size, "send");
  }

  using Record = std::array<unsigned char, kRecord>;
  sockaddr_in to_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EVP_CIPHER_CTX* open_ = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* seal_ = EVP_CIPHER_CTX_new();
  std::array<unsigned char, 32> key_{};
  std::array<unsigned char, 12> nonce_{};
  Record in_{}, between_{}, out_{};
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t to = 0;
  CLI::App app("Copies streams through AES-256-GCM");
  app.add_option("--to", to, "Port on loopback")->required();
  CLI11_PARSE(app, argc, argv);
  auto copier = std::make_unique<Copier>(to);
  copier->serve();
}
