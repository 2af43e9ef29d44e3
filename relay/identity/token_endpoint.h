#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/orders/root_list.h"

namespace tillsyn::identity {

// Exchanges an authorization code at the issuer's token endpoint (OpenID Connect Core 1.0 §3.1.3), the relay being the
// confidential client: private_key_jwt, ES256 (RFC 7523). Gives back the ID token and nothing else; access and refresh
// tokens are dropped unread. What the ID token says is for the session and for every order's judge.
// Threads: thread-safe.
class TokenEndpoint {
 public:
  explicit TokenEndpoint(crypto::P256PrivateKey client_key) : client_key_(std::move(client_key)) {}

  // The issuers and the apps' origins to go by from now on.
  void use(std::shared_ptr<const orders::RootList> list);

  // `body` as `POST /v1/oidc/token` has it (PROTOCOL.md); waits for the network, at most 15 s. Refused:
  // "unknown_issuer" (not in the root list), "wrong_redirect" (not on an app origin of a provider with that issuer),
  // "code_refused" (the issuer says so: log in anew), "bad_id_token" (none came). kUnavailable "issuer_unreachable",
  // "bundle_missing". TLS is verified against the issuer's `ca` alone, or the system's where the root list gives none.
  Result<std::string> exchange(const std::string& body, Instant now) const;

  // The identity provider that such a body asks, if the root list names it; else empty.
  std::string issuer_in(const std::string& body) const;

  Json client_jwks() const;

 private:
  std::shared_ptr<const orders::RootList> list() const;
  std::string assertion(const orders::Issuer& issuer, Instant now) const;

  crypto::P256PrivateKey client_key_;
  mutable std::mutex mutex_;
  std::shared_ptr<const orders::RootList> list_;
};

}  // namespace tillsyn::identity
