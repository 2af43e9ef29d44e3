#include "common/sframe/frame.h"

#include <string>
#include <vector>

#include "common/crypto/random.h"
#include "tests/unit/crypto/vectors.h"

using namespace tillsyn;
using namespace tillsyn::sframe;
using namespace tillsyn::test;

namespace {

const ByteArray<16> kStream = {1, 2, 3};
const ByteArray<32> kKey = {4, 5, 6};

Bytes frame(std::size_t picture_bytes, FrameInfo info = {}) {
  Sealer sealer(kKey, 0);
  auto wire = seal_frame(sealer, kStream, info, Bytes(picture_bytes, 7));
  REQUIRE(wire.ok());
  return *wire;
}

// What a decoder delivers, copied.
struct Received {
  std::vector<Bytes> frames;
  FrameDecoder decoder;

  Result<void> feed(ByteView chunk) {
    return decoder.feed(chunk, [this](const FrameView& view) { frames.push_back(bytes_of(view.wire)); });
  }
};

}  // namespace

TEST_CASE("a frame is laid out as the protocol page says", "[sframe][VID-2]") {
  const Bytes wire = frame(3, {kKeyFrame, 0x0102030405060708});
  CHECK(to_hex(ByteView(wire).first(13)) == "0000001d" "01" "0102030405060708");
  CHECK(wire.size() == 13 + 1 + 3 + 16);
  CHECK(to_hex(frame_metadata(kStream, {kEnd, 0x0a0b})) == "01020300000000000000000000000000" "02" "0000000000000a0b");
  const auto view = decode_frame(wire);
  REQUIRE(view.ok());
  CHECK(view->info.flags == kKeyFrame);
  CHECK(view->info.capture_ms == 0x0102030405060708);
  CHECK(view->object.size() == 20);
  Opener opener(kKey, 0);
  CHECK(open_frame(opener, kStream, *view)->plaintext == Bytes(3, 7));
}

TEST_CASE("flags, capture time and stream id are authenticated", "[sframe][VID-2]") {
  const Bytes wire = frame(3, {kKeyFrame, 1000});
  Opener opener(kKey, 0);
  CHECK(open_frame(opener, kStream, *decode_frame(wire)).ok());
  CHECK_FALSE(open_frame(opener, ByteArray<16>{1, 2, 4}, *decode_frame(wire)).ok());
  for_each_flipped_bit(wire, [&](ByteView changed, std::size_t bit) {
    CAPTURE(bit);
    const auto view = decode_frame(changed);
    CHECK((!view.ok() || !open_frame(opener, kStream, *view).ok()));
  });
}

TEST_CASE("frames come out whole whatever the chunks", "[sframe]") {
  Bytes stream;
  std::vector<Bytes> sent;
  for (const std::size_t size : {0u, 1u, 100u, 5000u, 17u}) {
    sent.push_back(frame(size));
    append(stream, sent.back());
  }
  for (const std::size_t chunk : {1u, 2u, 3u, 4u, 5u, 13u, 64u, 1000u, 4096u, 100000u}) {
    CAPTURE(chunk);
    Received received;
    for (std::size_t at = 0; at < stream.size(); at += chunk)
      REQUIRE(received.feed(ByteView(stream).subspan(at, std::min(chunk, stream.size() - at))).ok());
    CHECK(received.frames == sent);
    CHECK(received.decoder.at_boundary());
  }
}

TEST_CASE("frames come out whole at every single cut", "[sframe]") {
  Bytes stream = frame(40);
  append(stream, frame(9, {kEnd, 5}));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Received received;
    REQUIRE(received.feed(ByteView(stream).first(cut)).ok());
    REQUIRE(received.feed(ByteView(stream).subspan(cut)).ok());
    CHECK(received.frames.size() == 2);
  }
}

TEST_CASE("a stream that stops in a frame is not at a boundary", "[sframe]") {
  const Bytes wire = frame(40);
  Received received;
  CHECK(received.decoder.at_boundary());
  REQUIRE(received.feed(ByteView(wire).first(wire.size() - 1)).ok());
  CHECK_FALSE(received.decoder.at_boundary());
  CHECK(received.frames.empty());
}

TEST_CASE("lengths out of bounds and unknown flags end the stream at once", "[sframe][VID-2]") {
  for (const char* bad : {"00000000", "00000019", "00020001", "ffffffff", "0000001d04", "0000001d80", "0000001dff"}) {
    CAPTURE(bad);
    const Bytes start = *from_hex(bad);
    const Bytes good = frame(3);
    for (const bool byte_by_byte : {false, true}) {
      Received received;
      Bytes stream = good;
      append(stream, start);
      bool refused = false;
      for (std::size_t at = 0; at < stream.size() && !refused; at += byte_by_byte ? 1 : stream.size())
        refused = !received.feed(byte_by_byte ? ByteView(stream).subspan(at, 1) : ByteView(stream)).ok();
      CHECK(refused);
      CHECK(received.frames.size() == 1);
      CHECK_FALSE(received.feed(good).ok());
      CHECK(received.frames.size() == 1);
      CHECK_FALSE(received.decoder.at_boundary());
    }
  }
}

TEST_CASE("the largest frame passes, one byte more is not made", "[sframe]") {
  Sealer sealer(kKey, ~std::uint64_t{0});
  const auto largest = seal_frame(sealer, kStream, {}, Bytes(kMaxPlaintextBytes, 1));
  REQUIRE(largest.ok());
  CHECK(decode_frame(*largest).ok());
  CHECK_FALSE(seal_frame(sealer, kStream, {}, Bytes(kMaxPlaintextBytes + 1, 1)).ok());
  CHECK_FALSE(seal_frame(sealer, kStream, {4, 0}, {}).ok());
  Opener opener(kKey, ~std::uint64_t{0});
  const auto next = seal_frame(sealer, kStream, {}, {});
  CHECK(open_frame(opener, kStream, *decode_frame(*next))->ctr == 1);  // refusals used no CTR up
}

TEST_CASE("a message is exactly one frame", "[sframe][VID-2]") {
  const Bytes wire = frame(3);
  CHECK(decode_frame(wire).ok());
  for (std::size_t size = 0; size < wire.size(); ++size) CHECK_FALSE(decode_frame(ByteView(wire).first(size)).ok());
  Bytes longer = wire;
  longer.push_back(0);
  CHECK_FALSE(decode_frame(longer).ok());
  Bytes flagged = wire;
  flagged[4] = 8;
  CHECK_FALSE(decode_frame(flagged).ok());
}
