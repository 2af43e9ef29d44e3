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

// Where a board keeps its device key. Threads: reentrant.
class KeyPlace {
 public:
  virtual ~KeyPlace() = default;

  // The key that is there, or one that is made there first. kIo "key_store" when the place fails, kUnavailable
  // "key_store" when it is not there, kMalformed "key_store" when what it holds is no device key: a damaged key is never
  // replaced silently, as the hub would change its name.
  virtual Result<std::unique_ptr<KeyStore>> open() const = 0;

  // Whether there is a key, whole or not. Errors as above.
  virtual Result<bool> has_key() const = 0;

  // Destroys the key; success when there was none. Errors as above.
  virtual Result<void> destroy() const = 0;
};

// `directory`/device.key, mode 0600, for boards without a secure element. Written whole and synced before its name
// appears; overwritten and removed to destroy it. A file that others may read is no device key.
class FileKeyPlace : public KeyPlace {
 public:
  explicit FileKeyPlace(std::string directory) : directory_(std::move(directory)) {}

  Result<std::unique_ptr<KeyStore>> open() const override;
  Result<bool> has_key() const override;
  Result<void> destroy() const override;

 private:
  std::string directory_;
};

}  // namespace tillsyn::board
