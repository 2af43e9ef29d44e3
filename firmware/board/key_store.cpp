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

}  // namespace

Result<std::string> KeyStore::envelope(std::string_view kind, std::string_view payload) const {
  TILLSYN_TRY(signature, sign(kind, view_of(payload)));
  return Json{{"payload", payload}, {"sig", to_base64url(signature)}}.dump();
}

FileKeyStore::FileKeyStore(crypto::P256PrivateKey key, std::string directory)
    : KeyStore(key.public_key().thumbprint_text()), key_(std::move(key)), directory_(std::move(directory)) {}

Result<std::unique_ptr<KeyStore>> FileKeyStore::open(const std::string& directory) {
  auto content = files::read_private(key_path(directory), kScalarBytes);
  if (!content) return as_key_store(content.error());
  if (*content) {
    auto key = crypto::P256PrivateKey::from_scalar(**content);
    crypto::wipe(**content);
    if (!key) return malformed("key_store", key_path(directory) + ": not a key");
    return std::unique_ptr<KeyStore>(new FileKeyStore(std::move(key).value(), directory));
  }
  auto made = crypto::P256PrivateKey::generate();
  if (const auto kept = files::write_private(key_path(directory), made.scalar()); !kept) {
    return as_key_store(kept.error());
  }
  return std::unique_ptr<KeyStore>(new FileKeyStore(std::move(made), directory));
}

Result<void> FileKeyStore::destroy(const std::string& directory) {
  if (const auto gone = files::destroy(key_path(directory)); !gone) return as_key_store(gone.error());
  return {};
}

bool FileKeyStore::exists(const std::string& directory) { return std::filesystem::exists(key_path(directory)); }

Result<ByteArray<crypto::kP256SignatureBytes>> FileKeyStore::sign(std::string_view kind, ByteView body) const {
  return key_.sign(signed_bytes(kind, body));
}

}  // namespace tillsyn::board
