#include "tests/unit/http/tls_kit.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <filesystem>
#include <future>
#include <stdexcept>

namespace tillsyn::test {

namespace {

EVP_PKEY* make_key(const std::string& type) {
  if (type == "RSA") return EVP_RSA_gen(2048);
  return EVP_EC_gen(type.c_str());
}

void write_pem(const std::string& path, const std::function<void(FILE*)>& write) {
  FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) throw std::runtime_error("cannot write " + path);
  write(file);
  std::fclose(file);
}

std::string make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "tillsyn-tls-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

}  // namespace

Identity::Identity(const char* type) : key_(make_key(type)), folder_(make_folder()) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key_);
  const unsigned char name[] = "test";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, name, -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_sign(certificate, key_, EVP_sha256());
  certificate_file_ = folder_ + "/certificate.pem";
  key_file_ = folder_ + "/key.pem";
  write_pem(certificate_file_, [&](FILE* file) { PEM_write_X509(file, certificate); });
  write_pem(key_file_, [&](FILE* file) { PEM_write_PrivateKey(file, key_, nullptr, nullptr, 0, nullptr, nullptr); });
  X509_free(certificate);
}

Identity::~Identity() {
  EVP_PKEY_free(key_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

ByteArray<65> Identity::point() const {
  ByteArray<65> point{};
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(key_, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(), point.size(), &size);
  return point;
}

RunningServer::RunningServer(const Setup& setup, http::Limits limits) {
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_level(spdlog::level::err);
  setup(router_, loop_.get_executor(), store_);
  auto tls = http::make_tls_context(identity_.certificate_file(), identity_.key_file());
  if (!tls.ok()) throw std::runtime_error(tls.error().message);
  tls_ = std::move(*tls);
  const auto is_app = [](std::string_view origin) { return origin == kAppOrigin; };
  const auto of_token = [](const std::string& token) -> std::string {
    for (const char* provider : {"nord", "syd"}) {
      if (token.starts_with(provider)) return provider;
    }
    return "";
  };
  server_ = std::make_unique<http::Server>(http::Server::Parts{loop_, *tls_, store_, network_, router_, is_app, limits,
                                                               [](const http::Served&) {}, of_token});
  const auto port = server_->listen("127.0.0.1:0");
  if (!port.ok()) throw std::runtime_error(port.error().message);
  port_ = *port;
  thread_ = std::thread([this] { loop_.run(); });
}

RunningServer::~RunningServer() {
  asio::post(loop_, [this] { server_->stop(); });
  thread_.join();  // the loop ends when the last connection has
  store_.stop();
  network_.stop();
}

void RunningServer::on_loop(const std::function<void()>& work) {
  std::promise<void> done;
  asio::post(loop_, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

Client::Client(std::uint16_t port, ClientOptions options) : context_(asio::ssl::context::tls_client) {
  SSL_CTX_set_max_proto_version(context_.native_handle(), options.max_version);
  SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_VERSION);
  if (options.max_version < TLS1_2_VERSION) SSL_CTX_set_security_level(context_.native_handle(), 0);
  if (options.tls12_suites != nullptr) SSL_CTX_set_cipher_list(context_.native_handle(), options.tls12_suites);
  if (options.identity != nullptr) {
    context_.use_certificate_file(options.identity->certificate_file(), asio::ssl::context::pem);
    context_.use_private_key_file(options.identity->key_file(), asio::ssl::context::pem);
  }
  stream_ = std::make_unique<ClientStream>(loop_, context_);
  stream_->next_layer().connect({asio::ip::address_v4::loopback(), port});
  stream_->handshake(asio::ssl::stream_base::client);
}

Request make_request(beast::http::verb method, const std::string& target, const std::string& body,
                     const std::map<std::string, std::string>& headers) {
  Request request(method, target, 11);
  request.set(beast::http::field::host, "localhost");
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  return request;
}

Response Client::send(Request request) {
  beast::http::write(*stream_, request);
  return read();
}

Response Client::get(const std::string& target, const std::map<std::string, std::string>& headers) {
  return send(make_request(beast::http::verb::get, target, "", headers));
}

Response Client::post(const std::string& target, const std::string& body,
                      const std::map<std::string, std::string>& headers) {
  return send(make_request(beast::http::verb::post, target, body, headers));
}

void Client::write_raw(const std::string& bytes) { asio::write(*stream_, asio::buffer(bytes)); }

Response Client::read() {
  Response response;
  beast::http::read(*stream_, buffer_, response);
  return response;
}

std::string Client::read_some() {
  std::string out(4096, '\0');
  out.resize(stream_->read_some(asio::buffer(out)));
  return out;
}

bool Client::is_closed_by_peer() {
  boost::system::error_code error;
  char byte = 0;
  while (!error) stream_->read_some(asio::buffer(&byte, 1), error);
  return true;
}

std::string code_of(const Response& response) {
  const auto json = parse_json(response.body());
  return json.ok() && json->contains("code") ? (*json)["code"].get<std::string>() : "";
}

}  // namespace tillsyn::test
