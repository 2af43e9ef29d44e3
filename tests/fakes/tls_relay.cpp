#include "tests/fakes/tls_relay.h"

#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace tillsyn::test {
namespace {

void require(bool ok) {
  if (!ok) std::abort();
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  require(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* make_certificate(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer ? 2 : 1);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  if (issuer) {
    add_extension(certificate, issuer, NID_subject_alt_name, "DNS:localhost");
  } else {
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  }
  require(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
  return certificate;
}

std::string pem_of(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

int take_any_client(X509_STORE_CTX*, void*) { return 1; }

}  // namespace

bool TlsPeer::fill() {
  std::array<char, 16384> chunk{};
  const int got = SSL_read(ssl_, chunk.data(), static_cast<int>(chunk.size()));
  if (got <= 0) return false;
  buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

bool TlsPeer::write(const std::string& bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
}

std::optional<std::string> TlsPeer::read_line() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

std::optional<std::string> TlsPeer::read_bytes(std::size_t size) {
  while (buffer_.size() < size) {
    if (!fill()) return std::nullopt;
  }
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

std::optional<std::string> TlsPeer::read_chunk() {
  const auto line = read_line();
  if (!line) return std::nullopt;
  auto data = read_bytes(std::strtoul(line->c_str(), nullptr, 16));
  if (!data || !read_line()) return std::nullopt;
  return data;
}

bool TlsPeer::write_chunk(const std::string& bytes) {
  std::array<char, 32> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  return write(size.data() + bytes + "\r\n");
}

std::string TlsPeer::client_key() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  std::string point(65, '\0');
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(X509_get0_pubkey(certificate), OSSL_PKEY_PARAM_PUB_KEY,
                                  reinterpret_cast<unsigned char*>(point.data()), point.size(), &size);
  X509_free(certificate);
  return size == point.size() ? point : std::string();
}

TlsRelay::TlsRelay(OnRequest on_request, OnStream on_stream, Options options)
    : on_request_(std::move(on_request)), on_stream_(std::move(on_stream)) {
  signal(SIGPIPE, SIG_IGN);
  EVP_PKEY* ca_key = EVP_EC_gen("P-256");
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* ca = make_certificate("test CA", ca_key, nullptr, ca_key);
  X509* certificate = make_certificate("relay", key, ca, ca_key);
  ca_pem_ = pem_of(ca);

  context_ = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_max_proto_version(context_, options.max_tls);
  SSL_CTX_set_security_level(context_, 0);  // so that a test may offer what link must refuse
  if (!options.tls12_suites.empty()) require(SSL_CTX_set_cipher_list(context_, options.tls12_suites.c_str()) == 1);
  require(SSL_CTX_use_certificate(context_, certificate) == 1 && SSL_CTX_use_PrivateKey(context_, key) == 1);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context_, take_any_client, nullptr);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  for (X509* each : {ca, certificate}) X509_free(each);
  for (EVP_PKEY* each : {ca_key, key}) EVP_PKEY_free(each);

  listener_ = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  const int off = 0;
  setsockopt(listener_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  socklen_t length = sizeof address;
  require(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(listener_, 16) == 0);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin6_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

TlsRelay::~TlsRelay() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
  SSL_CTX_free(context_);
}

void TlsRelay::accept_loop() {
  while (!stopping_) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard lock(mutex_);
    open_.insert(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void TlsRelay::serve(int socket) {
  SSL* ssl = SSL_new(context_);
  SSL_set_fd(ssl, socket);
  if (SSL_accept(ssl) == 1) serve_requests(ssl);
  SSL_free(ssl);
  const std::lock_guard lock(mutex_);
  open_.erase(socket);
  close(socket);
}

void TlsRelay::serve_requests(SSL* ssl) {
  TlsPeer peer(ssl);
  while (const auto first = peer.read_line()) {
    SeenRequest request;
    request.method = first->substr(0, first->find(' '));
    request.path = first->substr(request.method.size() + 1, first->rfind(' ') - request.method.size() - 1);
    request.client_key = peer.client_key();
    std::size_t length = 0;
    for (auto line = peer.read_line(); line && !line->empty(); line = peer.read_line()) {
      if (line->starts_with("Content-Length: ")) length = std::strtoul(line->c_str() + 16, nullptr, 10);
    }
    if (request.path.starts_with("/hub/v1/streams/")) return on_stream_(peer, request);
    request.body = peer.read_bytes(length).value_or("");
    const GivenReply reply = on_request_(request);
    if (!peer.write("HTTP/1.1 " + std::to_string(reply.status) +
                    " x\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body)) {
      return;
    }
  }
}

}  // namespace tillsyn::test
