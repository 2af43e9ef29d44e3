#pragma once

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "common/base/bytes.h"
#include "relay/http/server.h"
#include "relay/http/tls_context.h"

// Real TLS on loopback for tests of the relay: keys and certificates made on the spot, a server on a thread of its own,
// and OpenSSL's own client.
namespace tillsyn::test {

namespace asio = boost::asio;
namespace beast = boost::beast;

// A key with a self-signed certificate, in files that go with it.
class Identity {
 public:
  explicit Identity(const char* type = "P-256");  // or "P-384", "RSA"
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const std::string& certificate_file() const { return certificate_file_; }
  const std::string& key_file() const { return key_file_; }
  ByteArray<65> point() const;

 private:
  EVP_PKEY* key_ = nullptr;
  std::string folder_;
  std::string certificate_file_;
  std::string key_file_;
};

// A server with its loop and workers, running until destroyed. A token that begins with "nord" or "syd" is that
// provider's.
class RunningServer {
 public:
  using Setup = std::function<void(http::Router& router, http::Executor loop, http::Workers& store)>;
  explicit RunningServer(const Setup& setup, http::Limits limits = {});
  ~RunningServer();

  std::uint16_t port() const { return port_; }
  // Runs `work` on the loop and waits for it.
  void on_loop(const std::function<void()>& work);

  static constexpr const char* kAppOrigin = "https://app.example";

 private:
  Identity identity_;
  asio::io_context loop_{1};
  http::Workers store_{1};
  http::Workers network_{1};
  http::Router router_;
  http::SslCtx tls_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

using Response = beast::http::response<beast::http::string_body>;
using Request = beast::http::request<beast::http::string_body>;
using ClientStream = asio::ssl::stream<asio::ip::tcp::socket>;

struct ClientOptions {
  const Identity* identity = nullptr;
  int max_version = TLS1_3_VERSION;
  const char* tls12_suites = nullptr;
};

// A blocking HTTPS client that believes any certificate.
class Client {
 public:
  explicit Client(std::uint16_t port, ClientOptions options = {});

  // Throws boost::system::system_error when the connection fails.
  Response send(Request request);
  Response get(const std::string& target, const std::map<std::string, std::string>& headers = {});
  Response post(const std::string& target, const std::string& body,
                const std::map<std::string, std::string>& headers = {});

  // Bytes as they are, and the answer to them.
  void write_raw(const std::string& bytes);
  Response read();
  std::string read_some();
  bool is_closed_by_peer();  // waits for it

  ClientStream& stream() { return *stream_; }

 private:
  asio::io_context loop_;
  asio::ssl::context context_;
  std::unique_ptr<ClientStream> stream_;
  beast::flat_buffer buffer_;
};

Request make_request(beast::http::verb method, const std::string& target, const std::string& body,
                     const std::map<std::string, std::string>& headers);
std::string code_of(const Response& response);  // of a problem

}  // namespace tillsyn::test
