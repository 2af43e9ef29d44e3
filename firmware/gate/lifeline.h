#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/secret.h"

namespace tillsyn::gate {

using Milliseconds = std::chrono::milliseconds;
using StreamId = ByteArray<16>;

constexpr std::size_t kLifeMessageBytes = 64;

// A sign of life (PROTOCOL, "A view's key and frames"), whose MAC nobody has checked yet.
struct Life {
  StreamId stream{};
  std::uint64_t counter = 0;
  std::optional<std::uint64_t> painted;  // the newest CTR shown, if any
  ByteArray<32> mac{};
};

// Exactly kLifeMessageBytes, else kMalformed "life". Threads: reentrant.
Result<Life> decode_life(ByteView message);

// Whether the viewer is still there: known from signs of life that only the holder of the view's keys can make.
// Times are CLOCK_MONOTONIC_RAW. Threads: thread-bound.
class Lifeline {
 public:
  static constexpr Milliseconds kPatience{15'000};

  Lifeline(crypto::Secret life_key, Milliseconds started) : key_(std::move(life_key)), newest_at_(started) {}

  // Takes a sign whose stream id is this view's. Refused "life" if its MAC is wrong, its counter does not rise, or it
  // tells of a picture that was not sent (CTR `next_ctr` or later) or an earlier one than before.
  Result<void> hear(const Life& life, std::uint64_t next_ctr, Milliseconds now);

  std::uint64_t newest() const { return newest_; }  // counter; 0: none yet
  std::optional<std::uint64_t> painted() const { return painted_; }
  bool is_lost(Milliseconds now) const { return now - newest_at_ >= kPatience; }

 private:
  crypto::Secret key_;
  std::uint64_t newest_ = 0;
  std::optional<std::uint64_t> painted_;
  Milliseconds newest_at_;
};

}  // namespace tillsyn::gate
