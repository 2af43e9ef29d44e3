#include "relay/store/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "common/crypto/random.h"

namespace tillsyn::store {
namespace {

constexpr std::size_t kKeyBytes = 32;

Error key_fault(const std::string& message) { return {Code::kIo, "key_file", message}; }

struct File {
  int descriptor = -1;
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

Result<crypto::Secret> read_key(const std::filesystem::path& file) {
  const File in{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat about {};
  if (in.descriptor < 0 || ::fstat(in.descriptor, &about) != 0) return key_fault("cannot read a key file");
  if ((about.st_mode & 077) != 0) return key_fault("others may read a key file: chmod 600 it, and think of a new key");
  crypto::Secret key(kKeyBytes);
  const bool whole = about.st_size == static_cast<off_t>(kKeyBytes) &&
                     ::read(in.descriptor, key.writable().data(), kKeyBytes) == static_cast<ssize_t>(kKeyBytes);
  if (!whole) return key_fault("a key file does not hold 32 bytes");
  return key;
}

Result<void> write_key(const std::filesystem::path& file, ByteView key) {
  const File out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  const bool written = out.descriptor >= 0 &&
                       ::write(out.descriptor, key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
                       ::fsync(out.descriptor) == 0;
  if (!written) return key_fault("cannot write a key file");
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const File in{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (in.descriptor < 0 || ::fsync(in.descriptor) != 0) return key_fault("cannot sync the store's folder");
  return {};
}

// Written beside and linked into place, so that the file is there whole or not at all and the first of two wins.
Result<void> make_key(const std::filesystem::path& file, const crypto::Secret& fresh) {
  const auto beside = file.string() + "." + to_hex(crypto::random_array<8>());
  auto made = write_key(beside, fresh.view());
  if (made && ::link(beside.c_str(), file.c_str()) != 0 && errno != EEXIST) made = key_fault("cannot place a key file");
  ::unlink(beside.c_str());
  TILLSYN_CHECK(made);
  return sync_folder(file.parent_path());
}

// The key, made unless there is already a database that needs the one that was: then it is lost, and a new one would
// only hide that.
Result<crypto::Secret> held_or_made(const std::filesystem::path& file, const std::filesystem::path& database,
                                    const std::function<crypto::Secret()>& make) {
  std::error_code error;
  if (std::filesystem::create_directories(file.parent_path(), error)) {
    std::filesystem::permissions(file.parent_path(), std::filesystem::perms::owner_all, error);
  }
  if (std::filesystem::exists(file, error)) return read_key(file);
  if (std::filesystem::exists(database, error)) {
    return key_fault(file.filename().string() + " is lost, and " + database.filename().string() +
                     " needs it: put the key file back from the backup");
  }
  TILLSYN_CHECK(make_key(file, make()));
  return read_key(file);
}

crypto::Secret random_key() { return crypto::Secret::random(kKeyBytes); }

}  // namespace

Result<crypto::Ed25519PrivateKey> ledger_key(const std::filesystem::path& folder, const std::string& provider) {
  TILLSYN_TRY(seed, held_or_made(folder / (provider + ".ledger-key"), folder / (provider + ".db"), random_key));
  return crypto::Ed25519PrivateKey::from_seed(seed.view());
}

Result<crypto::Secret> provider_key(const std::filesystem::path& folder, const std::string& provider) {
  return held_or_made(folder / (provider + ".data-key"), folder / (provider + ".db"), random_key);
}

Result<crypto::P256PrivateKey> client_key(const std::filesystem::path& folder) {
  TILLSYN_TRY(scalar, held_or_made(folder / "relay.client-key", folder / "relay.shared.db", [] {
                return crypto::Secret::copy_of(crypto::P256PrivateKey::generate().scalar());
              }));
  return crypto::P256PrivateKey::from_scalar(scalar.view());
}

Json client_jwks(const crypto::P256PrivateKey& key) {
  Json jwk = key.public_key().to_jwk();
  jwk["kid"] = key.public_key().thumbprint_text();
  jwk["alg"] = "ES256";
  jwk["use"] = "sig";
  return {{"keys", Json::array({jwk})}};
}

}  // namespace tillsyn::store
