#pragma once

#include <string>

#include "common/crypto/ed25519.h"
#include "relay/admin/files.h"

// The municipality's own signing keys, as files: {"format":1,"type":"root-key"|"bundle-key","seed":b64(32)}, mode 0600,
// and beside it `<file>.pub` with the public key as base64url on a line. The type keeps a bundle key from signing root
// lists by mistake. Threads: reentrant.
namespace tillsyn::admin {

enum class KeyType { kRoot, kBundle };

// Makes both files; never over existing ones.
Result<void> make_key(KeyType type, const Path& file);

Result<crypto::Ed25519PrivateKey> read_key(KeyType type, const Path& file);

// A `.pub` file.
Result<crypto::Ed25519PublicKey> read_public_key(const Path& file);

}  // namespace tillsyn::admin
