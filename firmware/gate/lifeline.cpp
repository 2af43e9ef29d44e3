#include "firmware/gate/lifeline.h"

#include <algorithm>

#include "common/crypto/hash.h"

namespace tillsyn::gate {
namespace {

constexpr std::uint64_t kNonePainted = ~std::uint64_t{0};
constexpr std::size_t kMacAt = 32;

Bytes signed_part(const Life& life) {
  Bytes body;
  append(body, life.stream);
  append_u64(body, life.counter);
  append_u64(body, life.painted.value_or(kNonePainted));
  return signed_bytes("life", body);
}

}  // namespace

Result<Life> decode_life(ByteView message) {
  if (message.size() != kLifeMessageBytes) return malformed("life", "a sign of life has 64 bytes");
  Life life;
  std::copy_n(message.begin(), life.stream.size(), life.stream.begin());
  life.counter = read_u64(message.subspan(16));
  const std::uint64_t painted = read_u64(message.subspan(24));
  if (painted != kNonePainted) life.painted = painted;
  std::copy_n(message.begin() + kMacAt, life.mac.size(), life.mac.begin());
  return life;
}

Result<void> Lifeline::hear(const Life& life, std::uint64_t next_ctr, Milliseconds now) {
  const auto mac = crypto::hmac_sha256(key_.view(), signed_part(life));
  if (!crypto::constant_time_equal(mac, life.mac)) return refused("life", "not made by the viewer");
  if (life.counter <= newest_) return refused("life", "an old sign of life");
  if (life.painted && *life.painted >= next_ctr) return refused("life", "tells of a picture that was not sent");
  if (painted_ && (!life.painted || *life.painted < *painted_)) return refused("life", "tells of an earlier picture");
  newest_ = life.counter;
  painted_ = life.painted;
  newest_at_ = now;
  return {};
}

}  // namespace tillsyn::gate
