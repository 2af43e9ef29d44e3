#include "relay/http/chunked.h"

#include <catch2/catch.hpp>
#include <random>

using namespace tillsyn;
using http::ChunkedDecoder;

namespace {

// Feeds `wire` in parts of `step` bytes; the body, or nullopt if it was refused.
std::optional<std::string> decode(const std::string& wire, std::size_t step, bool* finished = nullptr) {
  ChunkedDecoder decoder;
  std::string body;
  for (std::size_t at = 0; at < wire.size(); at += step) {
    const auto part = view_of(wire).subspan(at, std::min(step, wire.size() - at));
    const auto fed = decoder.feed(part, [&](ByteView piece) -> Result<void> {
      body += text_of(piece);
      return {};
    });
    if (!fed.ok()) return std::nullopt;
  }
  if (finished != nullptr) *finished = decoder.finished();
  return body;
}

}  // namespace

TEST_CASE("a chunked body comes out whole, however it is cut", "[http]") {
  const std::string wire = "5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n";
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    bool finished = false;
    CHECK(decode(wire, step, &finished) == "hello 0123456789");
    CHECK(finished);
  }
}

TEST_CASE("a body without its last chunk is not finished", "[http]") {
  const std::string wire = "5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t length = 0; length < wire.size(); ++length) {
    bool finished = true;
    CHECK(decode(wire.substr(0, length), 1, &finished));
    CHECK((length == 0 || !finished));
  }
}

TEST_CASE("what is not the chunked coding is refused at its first byte", "[http]") {
  for (const char* bad : {"g\r\n",
                          "\r\n",
                          " 5\r\nhello\r\n",
                          "5 \r\nhello\r\n",
                          "5;a=b\r\nhello\r\n",
                          "-5\r\n",
                          "+5\r\n",
                          "0x5\r\n",
                          "05\r\nhello\r\n",
                          "00\r\n\r\n",
                          "5\nhello\r\n",
                          "5\rhello",
                          "5\r\nhellox\r\n",
                          "5\r\nhello\n",
                          "5\r\nhello\rx",
                          "100001\r\n",
                          "ffffffffffffffff\r\n",
                          "10000000000000000\r\n",
                          "0\r\nX: y\r\n\r\n",
                          "0\r\n\r\nx",
                          "0\r\n\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(decode(bad, 1));
    CHECK_FALSE(decode(bad, 1000));
  }
}

TEST_CASE("a decoder that has refused refuses everything", "[http]") {
  ChunkedDecoder decoder;
  const auto ignore = [](ByteView) -> Result<void> { return {}; };
  CHECK_FALSE(decoder.feed(view_of("x"), ignore).ok());
  CHECK_FALSE(decoder.feed(view_of("5\r\nhello\r\n"), ignore).ok());
  CHECK_FALSE(decoder.finished());
}

TEST_CASE("no noise gets through the chunked decoder as more than it is", "[http]") {
  std::mt19937 random(7);
  const std::string alphabet = "0123456789abcdefF\r\n\r\n\r\n;x";
  for (int round = 0; round < 20'000; ++round) {
    std::string wire;
    for (auto i = random() % 40; i > 0; --i) wire += alphabet[random() % alphabet.size()];
    const auto at_once = decode(wire, 1000);
    const auto byte_by_byte = decode(wire, 1);
    REQUIRE(at_once == byte_by_byte);
    if (at_once) REQUIRE(at_once->size() <= wire.size());
  }
}
