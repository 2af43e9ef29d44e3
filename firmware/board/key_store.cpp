#include "firmware/board/key_store.h"

#include <filesystem>

#include "common/base/json.h"
#include "common/crypto/secret.h"
#include "firmware/files/files.h"

namespace tillsyn::board {
namespace {

constexpr std::size_t kScalarBytes = 32;

std::string key_path(const std::string& directory) { return directory + "/device.key"; }

Error as_key_store(const Error& error) { return {error.code, "key_store", error.message}; }

class FileKeyStore : public KeyStore {
 public:
  FileKeyStore(crypto::P256PrivateKey key, FileKeyPlace place)
      : KeyStore(key.public_key().thumbprint_text()), key_(std::move(key)), place_(std::move(place)) {}

  const crypto::P256PublicKey& device_key() const override { return key_.public_key(); }
  Result<ByteArray<crypto::kP256SignatureBytes>> sign(std::string_view kind, ByteView body) const override {
    return key_.sign(signed_bytes(kind, body));
  }
  Result<void> destroy_key() override { return place_.destroy(); }

 private:
  crypto::P256PrivateKey key_;
  FileKeyPlace place_;
};

}  // namespace

Result<std::string> KeyStore::envelope(std::string_view kind, std::string_view payload) const {
  TILLSYN_TRY(signature, sign(kind, view_of(payload)));
  return Json{{"payload", payload}, {"sig", to_base64url(signature)}}.dump();
}

Result<std::unique_ptr<KeyStore>> FileKeyPlace::open() const {
  auto content = files::read_private(key_path(directory_), kScalarBytes);
  if (!content) return as_key_store(content.error());
  if (*content) {
    auto key = crypto::P256PrivateKey::from_scalar(**content);
    crypto::wipe(**content);
    if (!key) return malformed("key_store", key_path(directory_) + ": not a key");
    return std::unique_ptr<KeyStore>(new FileKeyStore(std::move(key).value(), *this));
  }
  auto made = crypto::P256PrivateKey::generate();
  if (const auto kept = files::write_private(key_path(directory_), made.scalar()); !kept) {
    return as_key_store(kept.error());
  }
  return std::unique_ptr<KeyStore>(new FileKeyStore(std::move(made), *this));
}

Result<bool> FileKeyPlace::has_key() const {
  std::error_code error;
  const bool there = std::filesystem::exists(key_path(directory_), error);
  if (error) return Error{Code::kIo, "key_store", key_path(directory_) + ": " + error.message()};
  return there;
}

Result<void> FileKeyPlace::destroy() const {
  if (const auto gone = files::destroy(key_path(directory_)); !gone) return as_key_store(gone.error());
  return {};
}

}  // namespace tillsyn::board
