#include <sys/socket.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <set>

#include "firmware/ipc/connection.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;
using namespace tillsyn::ipc;

namespace {

Bytes packet(MessageType type, std::size_t body_bytes) {
  Bytes out(1 + body_bytes, 'A');
  out[0] = static_cast<std::uint8_t>(type);
  return out;
}

Side other(Side side) { return side == Side::kLink ? Side::kGate : Side::kLink; }

// A raw peer that may break every rule, and the honest connection it talks to.
struct RawPeer {
  explicit RawPeer(Side honest_side) {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
    raw.reset(fds[0]);
    const int buffer = 1 << 20;
    setsockopt(raw.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    honest.emplace(Connection::adopt(UniqueFd(fds[1]), honest_side).value());
  }
  void say(const Bytes& bytes) {
    REQUIRE(::send(raw.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size()));
  }
  UniqueFd raw;
  std::optional<Connection> honest;
};

}  // namespace

TEST_CASE("every message type keeps its limits and its direction", "[ipc]") {
  std::set<std::uint8_t> numbers;
  for (const Format& format : kFormats) {
    CAPTURE(format.name);
    CHECK(numbers.insert(static_cast<std::uint8_t>(format.type)).second);
    CHECK(decode(packet(format.type, format.min_bytes), format.sender).ok());
    CHECK(decode(packet(format.type, format.max_bytes), format.sender).ok());
    CHECK_FALSE(decode(packet(format.type, format.max_bytes + 1), format.sender).ok());
    CHECK_FALSE(decode(packet(format.type, format.min_bytes), other(format.sender)).ok());
    if (format.min_bytes > 0) CHECK_FALSE(decode(packet(format.type, format.min_bytes - 1), format.sender).ok());
    CHECK(1 + format.max_bytes <= kMaxMessageBytes);
  }
}

TEST_CASE("an empty or unknown message is malformed", "[ipc]") {
  CHECK_FALSE(decode({}, Side::kLink).ok());
  for (int type = 0; type < 256; ++type) {
    const auto known = find_format(static_cast<MessageType>(type));
    if (known) continue;
    CAPTURE(type);
    for (const Side side : {Side::kLink, Side::kGate}) {
      const auto message = decode(packet(static_cast<MessageType>(type), 1), side);
      REQUIRE_FALSE(message.ok());
      CHECK(message.error().code == Code::kMalformed);
    }
  }
}

TEST_CASE("gate's hello names a hub", "[ipc]") {
  Bytes good = packet(MessageType::kGateHello, 1 + kHubIdBytes);
  good[1] = kProtocolVersion;
  const auto hello = read_gate_hello(*decode(good, Side::kGate));
  REQUIRE(hello.ok());
  CHECK(hello->version == kProtocolVersion);
  CHECK(hello->hub == std::string(kHubIdBytes, 'A'));
  for (const char bad : {'+', '=', '\n', '\0'}) {
    Bytes forged = good;
    forged[10] = static_cast<std::uint8_t>(bad);
    CHECK_FALSE(read_gate_hello(*decode(forged, Side::kGate)).ok());
  }
}

TEST_CASE("the largest message and a frame in parts arrive whole, in order", "[ipc]") {
  auto [link, gate] = Connection::pair().value();
  const Bytes list(256 * 1024, '{');
  REQUIRE(*link.send(MessageType::kRootList, list) == Sent::kSent);
  const auto got_list = gate.receive();
  REQUIRE(got_list.ok());
  CHECK((*got_list)->body.size() == list.size());

  const Bytes stream(kStreamIdBytes, 7);
  const Bytes frame(kMaxFrameBytes, 9);
  REQUIRE(*gate.send(MessageType::kFrame, {stream, frame}) == Sent::kSent);
  REQUIRE(*gate.send(MessageType::kStreamEnd, stream) == Sent::kSent);
  const auto got_frame = link.receive();
  REQUIRE(got_frame.ok());
  REQUIRE((*got_frame)->type == MessageType::kFrame);
  CHECK(text_of(split_frame(**got_frame).stream) == text_of(stream));
  CHECK(text_of(split_frame(**got_frame).frame) == text_of(frame));
  CHECK((*link.receive())->type == MessageType::kStreamEnd);
  CHECK_FALSE(link.receive()->has_value());
}

TEST_CASE("nobody says what is not theirs to say", "[ipc]") {
  auto [link, gate] = Connection::pair().value();
  CHECK(link.send(MessageType::kAnswer, "{}").error().code == Code::kInternal);
  CHECK(gate.send(MessageType::kOrder, "{}").error().code == Code::kInternal);
  CHECK(link.send(MessageType::kLife, Bytes(kLifeBytes - 1)).error().code == Code::kInternal);
  CHECK(link.send(MessageType::kOrder, Bytes(64 * 1024 + 1)).error().code == Code::kInternal);
  CHECK_FALSE(gate.receive()->has_value());
}

TEST_CASE("a full socket says would-block and loses nothing that it took", "[ipc]") {
  auto [link, gate] = Connection::pair().value();
  const Bytes order(64 * 1024, 'o');
  std::size_t taken = 0;
  while (taken < 100) {
    const auto sent = link.send(MessageType::kOrder, order);
    REQUIRE(sent.ok());
    if (*sent == Sent::kWouldBlock) break;
    ++taken;
  }
  REQUIRE(taken < 100);
  REQUIRE(taken >= 4);
  for (std::size_t i = 0; i < taken; ++i) CHECK((*gate.receive())->body.size() == order.size());
  CHECK_FALSE(gate.receive()->has_value());
  CHECK(*link.send(MessageType::kOrder, order) == Sent::kSent);
}

TEST_CASE("a peer that breaks the rules ends the connection", "[ipc]") {
  SECTION("longer than any message may be") {
    RawPeer peer(Side::kGate);
    peer.say(packet(MessageType::kRootList, kMaxMessageBytes));
    CHECK(peer.honest->receive().error().code == Code::kMalformed);
  }
  SECTION("a message of the other direction") {
    RawPeer peer(Side::kGate);
    peer.say(packet(MessageType::kAnswer, 2));
    CHECK(peer.honest->receive().error().code == Code::kMalformed);
  }
  SECTION("nothing in it") {
    RawPeer peer(Side::kGate);
    peer.say({});
    CHECK_FALSE(peer.honest->receive().ok());
  }
  SECTION("gone") {
    RawPeer peer(Side::kLink);
    peer.raw.reset();
    CHECK(peer.honest->receive().error().code == Code::kUnavailable);
    CHECK(peer.honest->send(MessageType::kPollWanted, Bytes()).error().code == Code::kUnavailable);
  }
}

TEST_CASE("a peer that says more than it may a second is cut off", "[ipc]") {
  RawPeer peer(Side::kGate);
  const Bytes wanted = packet(MessageType::kPollWanted, 0);
  Result<std::optional<Message>> got = std::optional<Message>();
  for (int i = 0; i < 100000 && got.ok(); ++i) {
    peer.say(wanted);
    got = peer.honest->receive();
  }
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().reason == "ipc_rate");
}

TEST_CASE("a side that paces itself never meets the other's limit", "[ipc]") {
  const auto start = TokenBucket::TimePoint{} + std::chrono::seconds(1);
  RateLimiter sender(1);
  RateLimiter receiver(2);
  for (int i = 0; i < 20000; ++i) {
    const auto now = start + std::chrono::microseconds(100) * i;
    if (sender.take(20000, now)) REQUIRE(receiver.take(20000, now));
  }
}

TEST_CASE("a token bucket fills with time, never above its burst, and not from a time that goes back", "[ipc]") {
  const auto start = TokenBucket::TimePoint{} + std::chrono::hours(1);
  TokenBucket bucket({10, 5});
  CHECK_FALSE(bucket.take(6, start));
  CHECK(bucket.take(5, start));
  CHECK_FALSE(bucket.take(1, start + std::chrono::milliseconds(90)));
  CHECK(bucket.take(1, start + std::chrono::milliseconds(110)));
  CHECK_FALSE(bucket.take(1, start - std::chrono::minutes(5)));
  CHECK_FALSE(bucket.take(5.1, start + std::chrono::hours(1)));
  CHECK(bucket.take(5, start + std::chrono::hours(1)));
}

TEST_CASE("link finds gate by its socket file, again after a restart", "[ipc]") {
  const test::TempDir dir;
  const std::string path = dir / "gate.sock";
  CHECK(Connection::connect(path).error().code == Code::kUnavailable);
  {
    auto first = Listener::open(path).value();
    CHECK_FALSE(first.accept()->has_value());
  }
  CHECK(Connection::connect(path).error().code == Code::kUnavailable);

  auto listener = Listener::open(path).value();
  struct stat file {};
  REQUIRE(stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0660);
  auto link = Connection::connect(path).value();
  auto gate = listener.accept();
  REQUIRE(gate->has_value());
  REQUIRE(*link.send(MessageType::kHello, Bytes{kProtocolVersion}) == Sent::kSent);
  CHECK((*(*gate)->receive())->type == MessageType::kHello);
}

TEST_CASE("a socket path that does not fit or cannot be bound is an error with the path", "[ipc]") {
  const test::TempDir dir;
  CHECK_FALSE(Listener::open(dir / std::string(120, 'x')).ok());
  CHECK_FALSE(Listener::open(dir / "missing/gate.sock").ok());
  CHECK_FALSE(Listener::open("").ok());
}
