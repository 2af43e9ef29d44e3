#include <bit>

#include "common/sframe/sframe.h"

namespace tillsyn::sframe {
namespace {

// RFC 9605 §4.3: the first byte holds KID and CTR as two groups of four bits, X ‖ K and Y ‖ C. With the leading bit clear
// the other three are the value itself; with it set they are the number of bytes that follow, less one.
constexpr std::uint64_t kMaxInline = 7;
constexpr unsigned kLongBit = 8;

std::size_t bytes_needed(std::uint64_t value) { return (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8; }

unsigned group_for(std::uint64_t value) {
  return static_cast<unsigned>(value <= kMaxInline ? value : kLongBit | (bytes_needed(value) - 1));
}

void append_value(Bytes& out, std::uint64_t value) {
  if (value <= kMaxInline) return;
  for (std::size_t left = bytes_needed(value); left-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * left)));
}

Result<std::uint64_t> read_value(unsigned group, ByteView object, std::size_t& at) {
  if ((group & kLongBit) == 0) return std::uint64_t{group};
  const std::size_t size = (group & kMaxInline) + 1;
  if (object.size() - at < size) return malformed("sframe", "the header is cut short");
  std::uint64_t value = 0;
  for (const std::uint8_t byte : object.subspan(at, size)) value = value << 8 | byte;
  if (value <= kMaxInline || bytes_needed(value) != size) return malformed("sframe", "not the shortest header");
  at += size;
  return value;
}

}  // namespace

void append_header(Bytes& out, Header header) {
  out.push_back(static_cast<std::uint8_t>(group_for(header.kid) << 4 | group_for(header.ctr)));
  append_value(out, header.kid);
  append_value(out, header.ctr);
}

Result<DecodedHeader> decode_header(ByteView object) {
  if (object.empty()) return malformed("sframe", "the header is cut short");
  std::size_t at = 1;
  TILLSYN_TRY(kid, read_value(object[0] >> 4, object, at));
  TILLSYN_TRY(ctr, read_value(object[0] & 0xfu, object, at));
  return DecodedHeader{{kid, ctr}, at};
}

}  // namespace tillsyn::sframe
