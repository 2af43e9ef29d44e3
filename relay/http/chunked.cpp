#include "relay/http/chunked.h"

#include <algorithm>

namespace tillsyn::http {

bool ChunkedDecoder::take_digit(std::uint8_t byte) {
  std::uint64_t digit = 0;
  if (byte >= '0' && byte <= '9') {
    digit = byte - std::uint64_t{'0'};
  } else if ((byte | 0x20U) >= 'a' && (byte | 0x20U) <= 'f') {
    digit = (byte | 0x20U) - std::uint64_t{'a'} + 10;
  } else {
    return false;
  }
  // Leading zeros would let a size line grow without end.
  if (has_digits_ && left_ == 0) return false;
  has_digits_ = true;
  left_ = left_ * 16 + digit;
  return left_ <= kMaxChunkBytes;
}

// One byte outside the data; false if it cannot stand there.
bool ChunkedDecoder::take_control(std::uint8_t byte) {
  switch (state_) {
    case State::kSize:
      if (byte != '\r') return take_digit(byte);
      state_ = State::kSizeEnd;
      return has_digits_;
    case State::kSizeEnd:
      state_ = left_ == 0 ? State::kLastEnd : State::kData;
      return byte == '\n';
    case State::kDataEnd:
      state_ = State::kDataEndLf;
      return byte == '\r';
    case State::kDataEndLf:
      state_ = State::kSize;
      has_digits_ = false;
      return byte == '\n';
    case State::kLastEnd:
      state_ = State::kLastEndLf;
      return byte == '\r';
    case State::kLastEndLf:
      state_ = State::kFinished;
      return byte == '\n';
    default:
      return false;
  }
}

Result<void> ChunkedDecoder::feed(ByteView part, const std::function<Result<void>(ByteView)>& deliver) {
  while (!part.empty()) {
    if (state_ == State::kData) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, part.size()));
      if (auto delivered = deliver(part.first(size)); !delivered.ok()) return state_ = State::kFailed, delivered;
      part = part.subspan(size);
      left_ -= size;
      if (left_ == 0) state_ = State::kDataEnd;
      continue;
    }
    if (!take_control(part.front())) {
      state_ = State::kFailed;
      return malformed("chunked", "the body is not in the chunked coding");
    }
    part = part.subspan(1);
  }
  return {};
}

}  // namespace tillsyn::http
