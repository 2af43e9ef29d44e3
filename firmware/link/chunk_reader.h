#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn::link {

// Reads a chunked body (RFC 9112 §7.1) as it arrives. libcurl decodes chunks as well, but does not tell when such a
// body has ended while a request body is still being sent, and for us that end is the message: the viewer has gone.
// Pure. Threads: thread-bound.
class ChunkReader {
 public:
  // Calls `deliver` with the data inside `bytes`, in order; the view is good for that call. kMalformed "chunk" for what
  // is no chunk: a size that is not hexadecimal or above 16 MiB, a line above 256 bytes. Bytes after the end are
  // ignored.
  Result<void> feed(ByteView bytes, const std::function<void(ByteView)>& deliver);

  // Whether the last chunk has been read.
  bool ended() const { return state_ == State::kEnded; }

 private:
  enum class State { kSize, kData, kDataEnd, kTrailer, kEnded };

  Result<bool> take_line(ByteView& bytes);
  Result<void> begin_chunk();

  State state_ = State::kSize;
  std::string line_;
  std::size_t left_ = 0;
};

}  // namespace tillsyn::link
