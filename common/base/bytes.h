#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace tillsyn {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;

// The bytes of a text, and back; no conversion of any kind. Threads: everything in this header is reentrant.
ByteView view_of(std::string_view text);
std::string text_of(ByteView bytes);

void append(Bytes& out, ByteView bytes);
void append_u16(Bytes& out, std::uint16_t value);  // big-endian, as all integers on our wires
void append_u32(Bytes& out, std::uint32_t value);
void append_u64(Bytes& out, std::uint64_t value);

// Precondition: `bytes` holds at least the integer's size.
std::uint32_t read_u32(ByteView bytes);
std::uint64_t read_u64(ByteView bytes);

// Lower-case hexadecimal. from_hex refuses odd lengths and any other character; upper case is read too.
std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text);

// base64url without padding (RFC 7515 §2). Decoding is canonical: padding, foreign characters, impossible lengths and
// non-zero trailing bits are refused, so that one value has one spelling. Reason: "base64url".
std::string to_base64url(ByteView bytes);
Result<Bytes> from_base64url(std::string_view text);

// The same, and exactly N bytes long.
template <std::size_t N>
Result<ByteArray<N>> from_base64url_exact(std::string_view text) {
  TILLSYN_TRY(bytes, from_base64url(text));
  if (bytes.size() != N) return malformed("base64url", "expected " + std::to_string(N) + " bytes");
  ByteArray<N> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// Standard base64 with padding (RFC 4648 §4), as C2SP notes and X.509 use it; decoding as strict as above.
std::string to_base64(ByteView bytes);
Result<Bytes> from_base64(std::string_view text);

// "tillsyn <kind> v1" ‖ 0x00 ‖ body: the bytes that are signed, so that no key ever signs bytes whose kind it did not
// choose.
Bytes signed_bytes(std::string_view kind, ByteView body);

// Whether the text is well-formed UTF-8 without surrogates or overlong forms (Unicode 15, table 3-7).
bool is_valid_utf8(std::string_view text);

}  // namespace tillsyn
