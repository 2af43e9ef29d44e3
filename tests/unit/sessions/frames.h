#pragma once

#include "common/sframe/frame.h"

namespace tillsyn::test {

// A frame of the right form whose object nobody can open: all that a relay ever sees.
inline Bytes frame_bytes(std::uint8_t flags, std::uint64_t capture_ms, std::size_t object_bytes = 64) {
  Bytes out;
  append_u32(out, static_cast<std::uint32_t>(1 + 8 + object_bytes));
  out.push_back(flags);
  append_u64(out, capture_ms);
  out.resize(out.size() + object_bytes, 0xaa);
  return out;
}

}  // namespace tillsyn::test
