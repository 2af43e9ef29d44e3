#pragma once

#include <cstddef>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/secret.h"

namespace tillsyn::crypto {

// FIPS 180-4. Threads: everything in this header is reentrant; a Sha256 belongs to one thread at a time.
ByteArray<32> sha256(ByteView bytes);
ByteArray<64> sha512(ByteView bytes);

// SHA-256 of bytes that arrive in parts. `finish` may be called once; after it, only destruction.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(ByteView bytes);
  ByteArray<32> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 2104. Compare the result with constant_time_equal, never with ==.
ByteArray<32> hmac_sha256(ByteView key, ByteView bytes);

// HKDF, RFC 5869. An empty salt counts as a block of zeros. A size of 0 or above 255 hashes, or a pseudorandom key shorter
// than a hash, is kMalformed "hkdf".
Secret hkdf_sha256_extract(ByteView salt, ByteView input);
Result<Secret> hkdf_sha256_expand(ByteView pseudorandom_key, ByteView info, std::size_t size);
Result<Secret> hkdf_sha256(ByteView salt, ByteView input, ByteView info, std::size_t size);

Secret hkdf_sha512_extract(ByteView salt, ByteView input);
Result<Secret> hkdf_sha512_expand(ByteView pseudorandom_key, ByteView info, std::size_t size);
Result<Secret> hkdf_sha512(ByteView salt, ByteView input, ByteView info, std::size_t size);

// Whether both hold the same bytes, in a time that depends on the sizes only.
bool constant_time_equal(ByteView a, ByteView b);

}  // namespace tillsyn::crypto
