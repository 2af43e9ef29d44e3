#include "common/sframe/frame.h"

#include <algorithm>

namespace tillsyn::sframe {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::uint8_t kKnownFlags = kKeyFrame | kEnd;

// What can be said of a frame from its first bytes; `start` may be cut short anywhere.
Result<void> check_start(ByteView start) {
  if (start.size() < kLengthBytes) return {};
  const std::uint32_t length = read_u32(start);
  if (length < kMinFrameLength || length > kMaxFrameLength) return malformed("frame", "length out of bounds");
  if (start.size() > kLengthBytes && (start[kLengthBytes] & ~kKnownFlags) != 0)
    return malformed("frame", "unknown flags");
  return {};
}

// Precondition: the length field is there and was checked.
std::size_t wire_size(ByteView start) { return kLengthBytes + read_u32(start); }

FrameView view_frame(ByteView wire) {
  return {{wire[kLengthBytes], read_u64(wire.subspan(kLengthBytes + 1))}, wire.subspan(kFramePrefixBytes), wire};
}

void store_length(Bytes& wire) {
  Bytes length;
  append_u32(length, static_cast<std::uint32_t>(wire.size() - kLengthBytes));
  std::copy(length.begin(), length.end(), wire.begin());
}

}  // namespace

ByteArray<25> frame_metadata(StreamIdView stream_id, FrameInfo info) {
  ByteArray<25> metadata;
  auto at = std::copy(stream_id.begin(), stream_id.end(), metadata.begin());
  *at++ = info.flags;
  for (int shift = 56; shift >= 0; shift -= 8) *at++ = static_cast<std::uint8_t>(info.capture_ms >> shift);
  return metadata;
}

Result<Bytes> seal_frame(Sealer& sealer, StreamIdView stream_id, FrameInfo info, ByteView plaintext) {
  if (plaintext.size() > kMaxPlaintextBytes) return malformed("frame", "the plaintext is too large");
  if ((info.flags & ~kKnownFlags) != 0) return malformed("frame", "unknown flags");
  Bytes wire;
  wire.reserve(kFramePrefixBytes + plaintext.size() + kMaxOverheadBytes);
  append_u32(wire, 0);
  wire.push_back(info.flags);
  append_u64(wire, info.capture_ms);
  TILLSYN_CHECK(sealer.seal(frame_metadata(stream_id, info), plaintext, wire));
  store_length(wire);
  return wire;
}

Result<Opened> open_frame(Opener& opener, StreamIdView stream_id, const FrameView& frame) {
  return opener.open(frame.object, frame_metadata(stream_id, frame.info));
}

Result<FrameView> decode_frame(ByteView message) {
  TILLSYN_CHECK(check_start(message));
  if (message.size() < kLengthBytes || message.size() != wire_size(message))
    return malformed("frame", "not exactly one frame");
  return view_frame(message);
}

Result<void> FrameDecoder::feed(ByteView chunk, const Deliver& deliver) {
  if (failed_) return malformed("frame", "the stream was malformed before");
  while (!chunk.empty()) {
    auto taken = pending_.empty() ? take_whole(chunk, deliver) : take_pending(chunk, deliver);
    if (!taken.ok()) {
      failed_ = true;
      return taken;
    }
  }
  return {};
}

// A frame that lies whole in the chunk is delivered from there; a beginning is kept.
Result<void> FrameDecoder::take_whole(ByteView& chunk, const Deliver& deliver) {
  TILLSYN_CHECK(check_start(chunk));
  if (chunk.size() < kLengthBytes || chunk.size() < wire_size(chunk)) {
    pending_.assign(chunk.begin(), chunk.end());
    chunk = {};
    return {};
  }
  deliver(view_frame(chunk.first(wire_size(chunk))));
  chunk = chunk.subspan(wire_size(chunk));
  return {};
}

Result<void> FrameDecoder::take_pending(ByteView& chunk, const Deliver& deliver) {
  const std::size_t wanted = pending_.size() <= kLengthBytes ? kLengthBytes + 1 : wire_size(pending_);
  const ByteView part = chunk.first(std::min(chunk.size(), wanted - pending_.size()));
  append(pending_, part);
  chunk = chunk.subspan(part.size());
  TILLSYN_CHECK(check_start(pending_));
  if (pending_.size() > kLengthBytes && pending_.size() == wire_size(pending_)) {
    deliver(view_frame(pending_));
    pending_.clear();
  }
  return {};
}

}  // namespace tillsyn::sframe
