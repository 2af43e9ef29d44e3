#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/aead.h"

namespace tillsyn::sframe {

// SFrame (RFC 9605) in one suite, AES_256_GCM_SHA512_128 (5). Nothing is negotiated.

inline constexpr std::size_t kBaseKeyBytes = 32;
inline constexpr std::size_t kMaxHeaderBytes = 17;
inline constexpr std::size_t kMinObjectBytes = 1 + crypto::kGcmTagBytes;
inline constexpr std::size_t kMaxOverheadBytes = kMaxHeaderBytes + crypto::kGcmTagBytes;

using BaseKeyView = std::span<const std::uint8_t, kBaseKeyBytes>;

// RFC 9605 §4.3: which key, and the how-manieth object under it.
struct Header {
  std::uint64_t kid = 0;
  std::uint64_t ctr = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

struct DecodedHeader {
  Header header;
  std::size_t size = 0;  // bytes of the object that it took
};

// Shortest encoding always; decode_header refuses any longer one, and what is cut short. Reason: "sframe".
// Threads: reentrant.
void append_header(Bytes& out, Header header);
Result<DecodedHeader> decode_header(ByteView object);

class Cipher;
class CounterSequence;

// Encrypts one stream: the first object has CTR 0, each next one 1 more, so no nonce repeats while a base key is used by
// one Sealer only. Threads: one at a time.
class Sealer {
 public:
  Sealer(BaseKeyView base_key, std::uint64_t kid);
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  // Appends the next object to `out`; `metadata` is authenticated beside it. After CTR 2^64−1 there is none:
  // kRefused "sframe_exhausted".
  Result<void> seal(ByteView metadata, ByteView plaintext, Bytes& out);

 private:
  std::unique_ptr<Cipher> cipher_;
  std::unique_ptr<CounterSequence> counters_;
};

struct Opened {
  std::uint64_t ctr = 0;
  Bytes plaintext;
};

// Decrypts one stream. Does not remember counters: whoever shows pictures demands that CTR starts at 0 and rises by 1.
// Threads: one at a time.
class Opener {
 public:
  Opener(BaseKeyView base_key, std::uint64_t kid);
  ~Opener();
  Opener(Opener&&) noexcept;
  Opener& operator=(Opener&&) noexcept;

  // kMalformed "sframe" if the form is wrong, kRefused "sframe_kid" for another key id, kRefused "aead" if object or
  // metadata was changed.
  Result<Opened> open(ByteView object, ByteView metadata);

 private:
  std::unique_ptr<Cipher> cipher_;
};

}  // namespace tillsyn::sframe
