#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/sframe/sframe.h"

namespace tillsyn::sframe {

// How one encrypted picture travels, hub to relay to viewer, all integers big-endian:
//
//   u32 length of what follows | u8 flags | u64 capture time | SFrame object
//
// The SFrame metadata is stream id (16) ‖ flags (1) ‖ capture time (8). A plaintext is a u64 (the newest life counter
// received) and one H.264 access unit, which is empty at the end of a stream; so the end is authenticated like a picture.
// Threads: everything here is reentrant but FrameDecoder (one at a time).

inline constexpr std::size_t kMaxFrameLength = 128 * 1024;  // largest value of the length field
inline constexpr std::size_t kFramePrefixBytes = 4 + 1 + 8;
inline constexpr std::size_t kMinFrameLength = 1 + 8 + kMinObjectBytes;
inline constexpr std::size_t kMaxPlaintextBytes = kMaxFrameLength - (1 + 8) - kMaxOverheadBytes;  // fits under any KID, CTR
inline constexpr std::size_t kStreamIdBytes = 16;

inline constexpr std::uint8_t kKeyFrame = 1;
inline constexpr std::uint8_t kEnd = 2;

using StreamIdView = std::span<const std::uint8_t, kStreamIdBytes>;

struct FrameInfo {
  std::uint8_t flags = 0;        // kKeyFrame | kEnd
  std::uint64_t capture_ms = 0;  // the gate's monotonic clock
};

// One whole frame, borrowed from the bytes it was decoded from.
struct FrameView {
  FrameInfo info;
  ByteView object;  // the SFrame object
  ByteView wire;    // the frame as it travelled, length field included
};

ByteArray<25> frame_metadata(StreamIdView stream_id, FrameInfo info);

// Encrypts a plaintext straight into its frame. kMalformed "frame" if it is larger than kMaxPlaintextBytes or has unknown
// flags (the sealer's CTR is then not used up), else as Sealer::seal.
Result<Bytes> seal_frame(Sealer& sealer, StreamIdView stream_id, FrameInfo info, ByteView plaintext);

// Decrypts it; as Opener::open.
Result<Opened> open_frame(Opener& opener, StreamIdView stream_id, const FrameView& frame);

// Exactly one frame, no byte more or less: a WebSocket message. Reason: "frame".
Result<FrameView> decode_frame(ByteView message);

// Cuts a byte stream, arriving in chunks of any size, into frames. Holds at most one unfinished frame.
class FrameDecoder {
 public:
  using Deliver = std::function<void(const FrameView&)>;

  // Calls `deliver` for each frame that is complete, in order; the view is good for that call. Frames that lie whole in
  // `chunk` are not copied. kMalformed "frame" for a length outside kMinFrameLength..kMaxFrameLength or unknown flags,
  // found as soon as these bytes are there; frames before the fault have been delivered, and every later call fails alike.
  Result<void> feed(ByteView chunk, const Deliver& deliver);

  // Whether the stream may end here: no frame is half received.
  bool at_boundary() const { return pending_.empty() && !failed_; }

 private:
  // Each takes at least one byte off the front of `chunk`.
  Result<void> take_whole(ByteView& chunk, const Deliver& deliver);
  Result<void> take_pending(ByteView& chunk, const Deliver& deliver);

  Bytes pending_;
  bool failed_ = false;
};

}  // namespace tillsyn::sframe
