#pragma once

// Inside common/crypto only: the members of a JWK that are the key itself (RFC 7518 §6), whatever else stands beside them.
// Private and symmetric members are refused. Precondition: an object. kMalformed "jwk", "base64url", or the key type's.

#include "common/base/json.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/crypto/rsa.h"

namespace tillsyn::crypto {

Result<P256PublicKey> p256_from_jwk_members(const Json& jwk);
Result<RsaPublicKey> rsa_from_jwk_members(const Json& jwk);

// The text of member `name`; refuses a missing one, another type and more than `max_bytes`.
Result<std::string> jwk_text(const Json& jwk, const char* name, std::size_t max_bytes);

}  // namespace tillsyn::crypto
