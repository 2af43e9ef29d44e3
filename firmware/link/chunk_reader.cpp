#include "firmware/link/chunk_reader.h"

#include <algorithm>
#include <charconv>

namespace tillsyn::link {
namespace {

constexpr std::size_t kMaxLine = 256;
constexpr std::size_t kMaxChunk = 16 * 1024 * 1024;

}  // namespace

// True when a whole line is in `line_`, without its CR LF.
Result<bool> ChunkReader::take_line(ByteView& bytes) {
  while (!bytes.empty()) {
    const char byte = static_cast<char>(bytes[0]);
    bytes = bytes.subspan(1);
    if (byte == '\n') {
      if (!line_.ends_with('\r')) return malformed("chunk", "line without CR");
      line_.pop_back();
      return true;
    }
    if (line_.size() >= kMaxLine) return malformed("chunk", "line too long");
    line_ += byte;
  }
  return false;
}

Result<void> ChunkReader::begin_chunk() {
  const std::string_view digits = std::string_view(line_).substr(0, line_.find_first_of("; \t"));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || left_ > kMaxChunk) {
    return malformed("chunk", "not a chunk size");
  }
  state_ = left_ == 0 ? State::kTrailer : State::kData;
  line_.clear();
  return {};
}

Result<void> ChunkReader::feed(ByteView bytes, const std::function<void(ByteView)>& deliver) {
  while (!bytes.empty() && state_ != State::kEnded) {
    if (state_ == State::kData) {
      const std::size_t part = std::min(left_, bytes.size());
      deliver(bytes.first(part));
      bytes = bytes.subspan(part);
      left_ -= part;
      if (left_ == 0) state_ = State::kDataEnd;
      continue;
    }
    TILLSYN_TRY(whole, take_line(bytes));
    if (!whole) return {};
    if (state_ == State::kSize) {
      TILLSYN_CHECK(begin_chunk());
    } else if (state_ == State::kDataEnd) {
      if (!line_.empty()) return malformed("chunk", "data longer than its chunk");
      state_ = State::kSize;
    } else {
      state_ = line_.empty() ? State::kEnded : State::kTrailer;
      line_.clear();
    }
  }
  return {};
}

}  // namespace tillsyn::link
