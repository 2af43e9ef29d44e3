#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "firmware/board/clock_judge.h"

// chrony's command protocol, version 6, as far as the hub speaks it: one question, "tracking", and its answer (chrony
// 4.x, candm.h). All integers big-endian; a float is 7 bits of exponent and 25 of coefficient, both two's complement.
//
//   question, 104 bytes: u8 6 | u8 1 | u16 0 | u16 33 | u16 0 | u32 sequence | 92 zero bytes, as long as the answer
//   answer,   104 bytes: u8 6 | u8 2 | u16 - | u16 33 | u16 5 | u16 status, 0 is well | 6 bytes - | u32 sequence |
//                        8 bytes - | u32 reference id | 20 bytes address | u16 stratum | u16 leap |
//                        u32 seconds high (0x7fffffff: not said) | u32 seconds low | u32 nanoseconds |
//                        9 floats: correction, last offset, RMS offset, frequency, residual, skew, root delay,
//                        root dispersion, update interval
namespace tillsyn::board {

constexpr std::size_t kTrackingBytes = 104;

// What chronyd says about its time.
struct ChronyTracking {
  std::uint32_t reference_id = 0;  // 0x7f7f0101: nothing but its own clock
  unsigned stratum = 0;            // 0 while it follows nobody, else 1-15
  unsigned leap = 3;               // 3: not synchronised
  Instant reference_time;          // its last update, by its own time
  Milliseconds correction{0};      // its time less the machine's
  Milliseconds root_distance{0};   // delay / 2 + dispersion, rounded up: its time against the world's

  bool is_synchronised() const;
};

ByteArray<kTrackingBytes> encode_tracking_request(std::uint32_t sequence);

// kMalformed "chrony" for anything that is not exactly an answer to the question numbered `sequence`, and for figures
// that no clock has; kRefused "chrony" if chronyd says that it does not answer. Threads: reentrant.
Result<ChronyTracking> decode_tracking(ByteView datagram, std::uint32_t sequence);

}  // namespace tillsyn::board
