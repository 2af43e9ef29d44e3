#pragma once

#include <functional>
#include <optional>

#include "common/base/unique_fd.h"
#include "firmware/board/chrony_clock.h"

// chronyd's side of the command socket, played by a test.
namespace tillsyn::board_test {

// What an answer says; the defaults are a clock that is well.
struct Says {
  std::uint32_t reference_id = 0xc0000201;
  std::uint16_t stratum = 2;
  std::uint16_t leap = 0;
  std::uint32_t seconds_high = 0;
  std::uint32_t seconds_low = 1'795'377'600;  // 2026-11-22T20:00:00Z
  std::uint32_t nanoseconds = 0;
  double correction = 0.0005;
  double root_delay = 0.004;
  double root_dispersion = 0.001;
};

// chrony's float, nearest to `value`.
std::uint32_t chrony_float(double value);

// An answer, byte by byte as chronyd makes it, to the question numbered `sequence`.
Bytes answer(std::uint32_t sequence, const Says& says = {});

// A socket that takes questions; says nothing until told to.
class FakeChronyd {
 public:
  explicit FakeChronyd(const std::string& path);

  // The next question's whole datagram, nullopt if none is there.
  std::optional<Bytes> question();
  // Sends to who asked last.
  void send(ByteView datagram);

 private:
  UniqueFd fd_;
  std::string asker_;
};

std::uint32_t sequence_of(ByteView question);

// A socket at `path` (empty: without a name) sends `datagram` to the one at `to`.
void send_from(const std::string& path, const std::string& to, ByteView datagram);

}  // namespace tillsyn::board_test
