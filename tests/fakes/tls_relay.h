#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

// A TLS peer in the relay's place, for tests of tillsyn-link alone: real TLS on loopback with its own CA, HTTP/1.1 just
// as far as link needs it, and answers that the test decides. It asks for a client certificate and takes any, noting
// its key.
namespace tillsyn::test {

struct SeenRequest {
  std::string method;
  std::string path;
  std::string body;
  std::string client_key;  // the certificate's P-256 point, 65 bytes; empty if none was shown
};

struct GivenReply {
  int status = 200;
  std::string body = "{}";
};

// One TLS connection, used by one thread. Everything gives up quietly when the peer has gone.
class TlsPeer {
 public:
  explicit TlsPeer(SSL* ssl) : ssl_(ssl) {}

  bool write(const std::string& bytes);
  std::optional<std::string> read_line();  // without CR LF
  std::optional<std::string> read_bytes(std::size_t size);
  std::optional<std::string> read_chunk();     // "" is the last one
  bool write_chunk(const std::string& bytes);  // "" ends the body
  std::string client_key() const;

 private:
  bool fill();

  SSL* ssl_;
  std::string buffer_;
};

class TlsRelay {
 public:
  struct Options {
    int max_tls = TLS1_3_VERSION;
    std::string tls12_suites;  // "": OpenSSL's own choice
  };

  // `on_request` answers everything but streams; `on_stream` gets a stream's connection after the request's header and
  // writes the whole response. Both run on the connection's thread.
  using OnRequest = std::function<GivenReply(const SeenRequest&)>;
  using OnStream = std::function<void(TlsPeer&, const SeenRequest&)>;

  TlsRelay(OnRequest on_request, OnStream on_stream, Options options);
  TlsRelay(OnRequest on_request, OnStream on_stream)
      : TlsRelay(std::move(on_request), std::move(on_stream), Options()) {}
  ~TlsRelay();
  TlsRelay(const TlsRelay&) = delete;
  TlsRelay& operator=(const TlsRelay&) = delete;

  std::string host() const { return "localhost:" + port(); }
  std::string port() const { return std::to_string(port_); }
  const std::string& ca_pem() const { return ca_pem_; }

 private:
  void accept_loop();
  void serve(int socket);
  void serve_requests(SSL* ssl);

  OnRequest on_request_;
  OnStream on_stream_;
  SSL_CTX* context_ = nullptr;
  std::string ca_pem_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace tillsyn::test
