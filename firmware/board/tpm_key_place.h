#pragma once

#include <string>

#include "firmware/board/key_store.h"

namespace tillsyn::board {

// The device key in a TPM 2.0 (TPM 2.0 Library, Part 3): made by it, never outside it, and gone for good when destroyed.
// It lies at a persistent handle of its owner hierarchy, without a password: whoever may open the TPM's device may sign,
// which the machine's rules give to the gate's user alone. Threads: reentrant, one command at a time.
class TpmKeyPlace : public KeyPlace {
 public:
  static constexpr std::uint32_t kHandle = 0x81008001;

  // `tcti`: how the TPM is reached, as tpm2-tss names it (tss2-tctildr(3)): "device:/dev/tpmrm0".
  explicit TpmKeyPlace(std::string tcti) : tcti_(std::move(tcti)) {}

  // Holds the TPM open. A key at the handle that could have come from outside, or that does more than sign ES256, is
  // kMalformed "key_store".
  Result<std::unique_ptr<KeyStore>> open() const override;
  Result<bool> has_key() const override;
  Result<void> destroy() const override;

 private:
  std::string tcti_;
};

}  // namespace tillsyn::board
