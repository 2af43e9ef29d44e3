#include <vector>

#include "common/sframe/frame.h"
#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {
namespace {

struct Cut {
  std::vector<Bytes> frames;
  bool failed = false;
  bool at_boundary = false;
};

// The frames of a stream that arrives in parts of `step` bytes.
Cut cut(ByteView stream, std::size_t step) {
  Cut out;
  sframe::FrameDecoder decoder;
  const auto keep = [&out](const sframe::FrameView& frame) { out.frames.emplace_back(frame.wire.begin(), frame.wire.end()); };
  for (std::size_t at = 0; at < stream.size() && !out.failed; at += step) {
    out.failed = !decoder.feed(stream.subspan(at, std::min(step, stream.size() - at)), keep).ok();
  }
  out.at_boundary = decoder.at_boundary();
  return out;
}

}  // namespace

bool frame(ByteView bytes) {
  const Cut whole = cut(bytes, std::max<std::size_t>(bytes.size(), 1));
  const Cut parts = cut(bytes, 1 + bytes.size() / 7);
  must(whole.frames == parts.frames && whole.failed == parts.failed && whole.at_boundary == parts.at_boundary,
       "frames do not depend on how the stream was cut");
  for (const Bytes& wire : whole.frames) must(sframe::decode_frame(wire).ok(), "a frame of a stream is a message");
  const auto message = sframe::decode_frame(bytes);
  if (!message) return false;
  must(whole.frames.size() == 1 && whole.at_boundary, "a message is a stream of one frame");
  Bytes again;
  append_u32(again, static_cast<std::uint32_t>(1 + 8 + message->object.size()));
  again.push_back(message->info.flags);
  append_u64(again, message->info.capture_ms);
  append(again, message->object);
  must(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "a frame has one spelling");
  return true;
}

bool sframe(ByteView bytes) {
  static constexpr ByteArray<sframe::kBaseKeyBytes> kKey{1, 2, 3};
  const auto decoded = sframe::decode_header(bytes);
  sframe::Opener opener(kKey, decoded ? decoded->header.kid : 0);
  must(!opener.open(bytes, {}).ok(), "nobody seals without the key");
  if (!decoded) return false;
  Bytes again;
  sframe::append_header(again, decoded->header);
  must(again.size() == decoded->size && std::equal(again.begin(), again.end(), bytes.begin()),
       "a header has one spelling");
  return true;
}

}  // namespace tillsyn::fuzz
