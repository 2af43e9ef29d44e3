#pragma once

#include <tss2/tss2_esys.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/crypto/hash.h"
#include "common/crypto/p256.h"

namespace tillsyn::board {

// The few commands of a TPM 2.0 that a device key needs (TPM 2.0 Library, Part 3), over tpm2-tss. Every failure is kIo
// "key_store" with what was asked and what the TPM said. Threads: thread-bound.
class Tpm {
 public:
  // kUnavailable "key_store" if there is no TPM at `tcti`.
  static Result<std::unique_ptr<Tpm>> open(const std::string& tcti);
  ~Tpm();
  Tpm(const Tpm&) = delete;
  Tpm& operator=(const Tpm&) = delete;

  // What is at a persistent handle; nullopt if nothing is.
  Result<std::optional<ESYS_TR>> find(std::uint32_t handle);

  // The public half of a key at `object`; kMalformed "key_store" unless it is a P-256 key that only signs ECDSA with
  // SHA-256 and was made by this TPM, which it cannot leave.
  Result<crypto::P256PublicKey> device_key(ESYS_TR object);

  // Makes such a key. It is there as a whole, at the persistent handle, or not at all.
  Result<ESYS_TR> make_key(std::uint32_t handle);

  Result<void> remove(ESYS_TR object, std::uint32_t handle);

  // r ‖ s.
  Result<ByteArray<crypto::kP256SignatureBytes>> sign(ESYS_TR key, const ByteArray<32>& digest);

 private:
  Tpm(TSS2_TCTI_CONTEXT* tcti, ESYS_CONTEXT* esys) : tcti_(tcti), esys_(esys) {}
  Result<ESYS_TR> make_parent();
  Result<ESYS_TR> make_under(ESYS_TR parent);

  TSS2_TCTI_CONTEXT* tcti_;
  ESYS_CONTEXT* esys_;
};

}  // namespace tillsyn::board
