#pragma once

#include <cstdint>
#include <span>

#include "common/base/bytes.h"

namespace tillsyn::crypto {

// Fills `out` from the kernel's generator (getrandom(2)). Blocks until the kernel is seeded, at the earliest boot only;
// ends the program if the system has no randomness, as nothing of ours may go on without. Threads: reentrant.
void random_bytes(std::span<std::uint8_t> out);

template <std::size_t N>
ByteArray<N> random_array() {
  ByteArray<N> out;
  random_bytes(out);
  return out;
}

}  // namespace tillsyn::crypto
