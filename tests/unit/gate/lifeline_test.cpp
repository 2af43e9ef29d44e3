#include "firmware/gate/lifeline.h"

#include <catch2/catch.hpp>

#include "common/crypto/hash.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kNone = ~std::uint64_t{0};
const Bytes kKey(32, 7);

Bytes sign_of_life(std::uint64_t counter, std::uint64_t painted, const Bytes& key = kKey) {
  Bytes message(16, 0xab);
  append_u64(message, counter);
  append_u64(message, painted);
  append(message, crypto::hmac_sha256(key, signed_bytes("life", message)));
  return message;
}

Lifeline lifeline() { return Lifeline(crypto::Secret::copy_of(kKey), 1h); }

bool hear(Lifeline& line, const Bytes& message, Milliseconds now, std::uint64_t next_ctr = 100) {
  const auto life = decode_life(message);
  REQUIRE(life);
  return line.hear(*life, next_ctr, now).ok();
}

}  // namespace

TEST_CASE("fifteen seconds without a fresh sign of life, and the viewer is gone", "[gate][life]") {
  auto line = lifeline();
  CHECK_FALSE(line.is_lost(1h + 15s - 1ms));
  CHECK(line.is_lost(1h + 15s));
  CHECK(hear(line, sign_of_life(1, kNone), 1h + 10s));
  CHECK_FALSE(line.is_lost(1h + 25s - 1ms));
  CHECK(line.is_lost(1h + 25s));
}

TEST_CASE("a sign of life heard again, or an older one, is not fresh", "[gate][life]") {
  auto line = lifeline();
  CHECK(hear(line, sign_of_life(5, kNone), 1h + 10s));
  CHECK_FALSE(hear(line, sign_of_life(5, kNone), 1h + 20s));
  CHECK_FALSE(hear(line, sign_of_life(4, kNone), 1h + 20s));
  CHECK(line.is_lost(1h + 25s));
  CHECK(line.newest() == 5);
}

TEST_CASE("one changed bit anywhere, or another view's key, makes it worthless", "[gate][life]") {
  for (std::size_t bit = 16 * 8; bit < kLifeMessageBytes * 8; ++bit) {
    auto line = lifeline();
    Bytes message = sign_of_life(1, 3);
    message[bit / 8] = static_cast<std::uint8_t>(message[bit / 8] ^ (1U << bit % 8));
    REQUIRE_FALSE(hear(line, message, 1h));
    REQUIRE(line.newest() == 0);
  }
  auto line = lifeline();
  CHECK_FALSE(hear(line, sign_of_life(1, 3, Bytes(32, 8)), 1h));
}

TEST_CASE("nobody has painted what was not sent, or has painted less than before", "[gate][life]") {
  auto line = lifeline();
  CHECK_FALSE(hear(line, sign_of_life(1, 100), 1h, 100));
  CHECK(hear(line, sign_of_life(1, 99), 1h, 100));
  CHECK(line.painted() == 99);
  CHECK_FALSE(hear(line, sign_of_life(2, 98), 1h, 100));
  CHECK_FALSE(hear(line, sign_of_life(2, kNone), 1h, 100));
  CHECK(hear(line, sign_of_life(2, 99), 1h, 100));
}

TEST_CASE("a sign of life has 64 bytes", "[gate][life]") {
  for (const std::size_t size : {0U, 1U, 63U, 65U, 128U}) CHECK_FALSE(decode_life(Bytes(size, 1)));
}
