#pragma once

#include <cstdint>
#include <functional>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn::http {

// Takes the chunked coding (RFC 9112 §7.1) off a body that arrives in parts of any size, without ever holding any of
// it. Stricter than the RFC: chunk extensions and trailers are refused, since no client of ours sends them. Threads:
// thread-bound.
class ChunkedDecoder {
 public:
  static constexpr std::uint64_t kMaxChunkBytes = 1024 * 1024;

  // Calls `deliver` with the pieces of the body in `part`, in order; they borrow from it. Malformed, "chunked", for bad
  // sizes, line ends or anything after the last chunk, found at its first byte; every later call fails alike.
  Result<void> feed(ByteView part, const std::function<Result<void>(ByteView)>& deliver);

  // Whether the last chunk has been read: the body is whole.
  bool finished() const { return state_ == State::kFinished; }

 private:
  enum class State { kSize, kSizeEnd, kData, kDataEnd, kDataEndLf, kLastEnd, kLastEndLf, kFinished, kFailed };

  bool take_control(std::uint8_t byte);
  bool take_digit(std::uint8_t byte);

  State state_ = State::kSize;
  std::uint64_t left_ = 0;  // of the chunk's data; while reading the size, the size so far
  bool has_digits_ = false;
};

}  // namespace tillsyn::http
