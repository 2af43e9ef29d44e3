#include "relay/http/tls_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

namespace tillsyn::http {

namespace {

constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr const char* kTls13Suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";

std::optional<ByteArray<65>> p256_point(const X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1) return std::nullopt;
  char group[32] = {};
  std::size_t group_length = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &group_length) != 1) return std::nullopt;
  if (std::string_view(group, group_length) != "prime256v1") return std::nullopt;
  ByteArray<65> point{};
  std::size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(), point.size(), &length) !=
          1 ||
      length != point.size() || point[0] != 0x04) {
    return std::nullopt;
  }
  return point;
}

int accept_self_signed_p256(X509_STORE_CTX* store, void*) {
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  const bool good = certificate != nullptr && p256_point(certificate) && X509_self_signed(certificate, 1) == 1;
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  ERR_clear_error();
  return good ? 1 : 0;
}

// The names under which client certificates are asked for: one, which is nobody's.
STACK_OF(X509_NAME) * unmatchable_names() {
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  X509_NAME* name = X509_NAME_new();
  const unsigned char text[] = "Tillsyn link keys only";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0);
  sk_X509_NAME_push(names, name);
  return names;
}

Error openssl_error(const std::string& what) {
  char text[160] = {};
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  return refused("tls_files", what + ": " + text);
}

}  // namespace

Result<SslCtx> make_tls_context(const std::string& certificate_file, const std::string& key_file) {
  SslCtx context(SSL_CTX_new(TLS_server_method()));
  if (!context) return openssl_error("TLS context");
  SSL_CTX* raw = context.get();
  if (SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list(raw, kTls12Suites) != 1 ||
      SSL_CTX_set_ciphersuites(raw, kTls13Suites) != 1 || SSL_CTX_set1_groups_list(raw, kGroups) != 1) {
    return openssl_error("TLS versions and suites");
  }
  SSL_CTX_set_options(
      raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(raw, accept_self_signed_p256, nullptr);
  SSL_CTX_set0_CA_list(raw, unmatchable_names());
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1) {
    return openssl_error("the TLS certificate " + certificate_file + " cannot be read");
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return openssl_error("the TLS key " + key_file + " cannot be read or is not the certificate's");
  }
  return context;
}

std::optional<ByteArray<65>> peer_key(const SSL& ssl) {
  const X509* certificate = SSL_get0_peer_certificate(&ssl);
  return certificate == nullptr ? std::nullopt : p256_point(certificate);
}

}  // namespace tillsyn::http
