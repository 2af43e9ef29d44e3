#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn::crypto {

inline constexpr std::size_t kAesKeyBytes = 32;
inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

using AesKeyView = std::span<const std::uint8_t, kAesKeyBytes>;
using GcmNonceView = std::span<const std::uint8_t, kGcmNonceBytes>;

// AES-256-GCM (NIST SP 800-38D), 96-bit nonce, 128-bit tag at the end of the ciphertext. The key schedule is made once,
// so this is what to keep for a stream of messages. The caller never uses a nonce twice under one key.
// Threads: one at a time.
class Aes256Gcm {
 public:
  explicit Aes256Gcm(AesKeyView key);
  ~Aes256Gcm();
  Aes256Gcm(Aes256Gcm&&) noexcept;
  Aes256Gcm& operator=(Aes256Gcm&&) noexcept;

  // Writes ciphertext ‖ tag to `out`, which is exactly 16 bytes longer than `plaintext` (anything else ends the program)
  // and may begin at the same address; no other overlap.
  void seal(GcmNonceView nonce, ByteView aad, ByteView plaintext, std::span<std::uint8_t> out);

  // Writes the plaintext to `out`, which is exactly 16 bytes shorter than `sealed` (else the program ends) and lies apart.
  // kMalformed "aead" if `sealed` is shorter than a tag; kRefused "aead" if anything was changed, `out` is then zeros.
  Result<void> open(GcmNonceView nonce, ByteView aad, ByteView sealed, std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The same for one message. Threads: reentrant.
Bytes aes256gcm_seal(AesKeyView key, GcmNonceView nonce, ByteView aad, ByteView plaintext);
Result<Bytes> aes256gcm_open(AesKeyView key, GcmNonceView nonce, ByteView aad, ByteView sealed);

}  // namespace tillsyn::crypto
