#include "tests/unit/board/chrony_kit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

namespace tillsyn::board_test {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

UniqueFd bound_socket(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = address_of(path);
  if (!path.empty()) REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

void send_to(const UniqueFd& fd, const std::string& path, ByteView datagram) {
  const sockaddr_un address = address_of(path);
  const auto sent = ::sendto(fd.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                             sizeof address);
  REQUIRE(sent == static_cast<ssize_t>(datagram.size()));
}

}  // namespace

std::uint32_t chrony_float(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // in [0.5, 1): 24 bits and a sign
  const auto coefficient = static_cast<std::int32_t>(std::lround(std::ldexp(fraction, 24)));
  return static_cast<std::uint32_t>(exponent + 1) << 25 | (static_cast<std::uint32_t>(coefficient) & 0x1ffffff);
}

Bytes answer(std::uint32_t sequence, const Says& says) {
  Bytes out{6, 2, 0, 0};
  append(out, Bytes{0, 33, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0});
  append_u32(out, sequence);
  append_u64(out, 0);
  append_u32(out, says.reference_id);
  append(out, Bytes(20));
  append_u16(out, says.stratum);
  append_u16(out, says.leap);
  for (const std::uint32_t word : {says.seconds_high, says.seconds_low, says.nanoseconds}) append_u32(out, word);
  for (const double real : {says.correction, 0., 0., 0., 0., 0., says.root_delay, says.root_dispersion, 64.})
    append_u32(out, chrony_float(real));
  return out;
}

FakeChronyd::FakeChronyd(const std::string& path) : fd_(bound_socket(path)) {}

std::optional<Bytes> FakeChronyd::question() {
  Bytes datagram(1000);
  sockaddr_un from{};
  socklen_t size = sizeof from;
  const auto got =
      ::recvfrom(fd_.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 0) return std::nullopt;
  asker_ = from.sun_path;
  datagram.resize(static_cast<std::size_t>(got));
  return datagram;
}

void FakeChronyd::send(ByteView datagram) { send_to(fd_, asker_, datagram); }

std::uint32_t sequence_of(ByteView question) { return read_u32(question.subspan(8)); }

void send_from(const std::string& path, const std::string& to, ByteView datagram) {
  send_to(bound_socket(path), to, datagram);
}

}  // namespace tillsyn::board_test
