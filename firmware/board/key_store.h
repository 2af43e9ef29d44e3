#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"

namespace tillsyn::board {

// Holds the device key, which never leaves it. Threads: reentrant after it is made.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  virtual const crypto::P256PublicKey& device_key() const = 0;

  // The hub's name: RFC 7638 thumbprint of the device key, 43 letters.
  const std::string& hub() const { return hub_; }

  // ES256 over signed(kind, body), P1363: the key signs nothing whose kind it was not told.
  virtual Result<ByteArray<crypto::kP256SignatureBytes>> sign(std::string_view kind, ByteView body) const = 0;

  // Destroys the key where it is kept; it signs until this object is gone. kIo "key_store".
  virtual Result<void> destroy_key() = 0;

  // {"payload": text, "sig": b64}: the device envelope of PROTOCOL, as JSON text.
  Result<std::string> envelope(std::string_view kind, std::string_view payload) const;

 protected:
  explicit KeyStore(std::string hub) : hub_(std::move(hub)) {}

 private:
  std::string hub_;
};

// The device key in a file of its own, mode 0600, for boards without a secure element.
class FileKeyStore : public KeyStore {
 public:
  // Reads `directory`/device.key, or makes a key there first (written whole and synced before its name appears).
  // kIo "key_store" when the disk fails, kMalformed "key_store" when the file is not a key or others may read it: a
  // damaged key is never replaced silently, as the hub would change its name.
  static Result<std::unique_ptr<KeyStore>> open(const std::string& directory);

  // Overwrites and removes the key; success when there was none.
  static Result<void> destroy(const std::string& directory);

  static bool exists(const std::string& directory);

  const crypto::P256PublicKey& device_key() const override { return key_.public_key(); }
  Result<ByteArray<crypto::kP256SignatureBytes>> sign(std::string_view kind, ByteView body) const override;
  Result<void> destroy_key() override { return destroy(directory_); }

 private:
  FileKeyStore(crypto::P256PrivateKey key, std::string directory);

  crypto::P256PrivateKey key_;
  std::string directory_;
};

}  // namespace tillsyn::board
