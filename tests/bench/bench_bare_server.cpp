// The least that holds hubs: epoll and OpenSSL under the relay's own TLS settings, nothing else. It takes a request as
// far as it has come and never answers. Says {"listening":port} when ready.
#include <arpa/inet.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "relay/http/tls_context.h"

namespace {

struct Connection {
  int fd;
  SSL* ssl;
  bool is_shaken = false;
};

void must(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

int listen_on_any_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  must(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd, SOMAXCONN) == 0, "listen");
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("{\"listening\":%d}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

void close_connection(Connection* connection) {
  SSL_free(connection->ssl);
  ::close(connection->fd);
  delete connection;
}

bool is_open(Connection& connection, int outcome) {
  const int why = SSL_get_error(connection.ssl, outcome);
  ERR_clear_error();
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

bool step(Connection& connection) {
  if (!connection.is_shaken) {
    const int done = SSL_accept(connection.ssl);
    if (done != 1) return is_open(connection, done);
    connection.is_shaken = true;
  }
  char buffer[16 * 1024];
  int size = 1;
  while (size > 0) size = SSL_read(connection.ssl, buffer, sizeof buffer);
  return is_open(connection, size);
}

void accept_all(int listener, int epoll, SSL_CTX* tls) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto* connection = new Connection{fd, SSL_new(tls)};
    SSL_set_fd(connection->ssl, fd);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = connection;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

void serve(SSL_CTX* tls) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int listener = listen_on_any_port();
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  epoll_event events[256];
  for (;;) {
    const int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        accept_all(listener, epoll, tls);
      } else if (!step(*connection)) {
        close_connection(connection);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string certificate, key;
  CLI::App app("Holds hubs and never answers");
  app.add_option("--tls-cert", certificate)->required();
  app.add_option("--tls-key", key)->required();
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const auto tls = tillsyn::http::make_tls_context(certificate, key);
  must(tls.ok(), "TLS");
  serve(tls->get());
}
