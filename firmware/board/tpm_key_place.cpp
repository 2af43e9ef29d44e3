#include "firmware/board/tpm_key_place.h"

#include <mutex>

#include "firmware/board/tpm.h"

namespace tillsyn::board {
namespace {

class TpmKeyStore : public KeyStore {
 public:
  TpmKeyStore(std::unique_ptr<Tpm> tpm, ESYS_TR object, const crypto::P256PublicKey& key)
      : KeyStore(key.thumbprint_text()), tpm_(std::move(tpm)), object_(object), key_(key) {}

  const crypto::P256PublicKey& device_key() const override { return key_; }

  Result<ByteArray<crypto::kP256SignatureBytes>> sign(std::string_view kind, ByteView body) const override {
    const auto digest = crypto::sha256(signed_bytes(kind, body));
    const std::lock_guard lock(mutex_);
    return tpm_->sign(object_, digest);
  }

  Result<void> destroy_key() override {
    const std::lock_guard lock(mutex_);
    return tpm_->remove(object_, TpmKeyPlace::kHandle);
  }

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<Tpm> tpm_;
  ESYS_TR object_;
  crypto::P256PublicKey key_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> TpmKeyPlace::open() const {
  TILLSYN_TRY(tpm, Tpm::open(tcti_));
  TILLSYN_TRY(found, tpm->find(kHandle));
  TILLSYN_TRY(object, found ? Result<ESYS_TR>(*found) : tpm->make_key(kHandle));
  TILLSYN_TRY(key, tpm->device_key(object));
  return std::unique_ptr<KeyStore>(new TpmKeyStore(std::move(tpm), object, key));
}

Result<bool> TpmKeyPlace::has_key() const {
  TILLSYN_TRY(tpm, Tpm::open(tcti_));
  TILLSYN_TRY(found, tpm->find(kHandle));
  return found.has_value();
}

Result<void> TpmKeyPlace::destroy() const {
  TILLSYN_TRY(tpm, Tpm::open(tcti_));
  TILLSYN_TRY(found, tpm->find(kHandle));
  return found ? tpm->remove(*found, kHandle) : Result<void>();
}

}  // namespace tillsyn::board
