#pragma once

#include <filesystem>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/p256.h"
#include "common/crypto/secret.h"

namespace tillsyn::store {

// Keys of the relay's own: 32 bytes each, in files of mode 0600 in the store's folder, made at the first call. Two
// processes that make one at the same moment end up with the same key. Failure: kIo "key_file", also for a file of
// another size or that others may read, or that is gone while its database is there. Threads: thread-safe.

// Signs the provider's checkpoints.
Result<crypto::Ed25519PrivateKey> ledger_key(const std::filesystem::path& folder, const std::string& provider);

// Wraps the keys of the provider's residents.
Result<crypto::Secret> provider_key(const std::filesystem::path& folder, const std::string& provider);

// Signs this relay's client assertions at identity providers.
Result<crypto::P256PrivateKey> client_key(const std::filesystem::path& folder);

// What of it is public: {"keys":[JWK]} as an identity provider takes it, kid = RFC 7638 thumbprint.
Json client_jwks(const crypto::P256PrivateKey& key);

}  // namespace tillsyn::store
