#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn::http {

struct SslCtxFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslCtx = std::unique_ptr<SSL_CTX, SslCtxFree>;

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslFree>;

// The relay's side of TLS: versions 1.2 and 1.3, ECDHE with AEAD and nothing else, no renegotiation, compression,
// tickets or resumption. A client certificate is asked for and may be absent; a present one must be self-signed with a
// P-256 key, else the handshake fails: who the key belongs to is for the routes. The list of names sent along with the
// request is one that no browser's certificate matches, so browsers ask their user nothing. `certificate_file` is the
// PEM chain, leaf first; `key_file` its PEM key. Reason: "tls_files".
Result<SslCtx> make_tls_context(const std::string& certificate_file, const std::string& key_file);

// The P-256 point of the certificate that the peer has proved to own; none if it showed none. After the handshake.
std::optional<ByteArray<65>> peer_key(const SSL& ssl);

}  // namespace tillsyn::http
