#include "firmware/board/chrony_tracking.h"

#include <cmath>

namespace tillsyn::board {
namespace {

constexpr std::uint8_t kVersion = 6;
constexpr std::uint8_t kQuestion = 1;
constexpr std::uint8_t kAnswer = 2;
constexpr std::uint16_t kTracking = 33;
constexpr std::uint16_t kTrackingAnswer = 5;

constexpr std::uint32_t kLocalReference = 0x7f7f0101;
constexpr unsigned kMaxStratum = 15;
constexpr unsigned kUnsynchronised = 3;
constexpr std::uint32_t kSecondsHighNotSaid = 0x7fffffff;
constexpr std::uint32_t kMaxSecondsHigh = 0x3f;  // the year 9999
constexpr double kMaxSeconds = 1e10;

// Reads on; the caller has checked the size.
class Reader {
 public:
  explicit Reader(ByteView bytes) : left_(bytes) {}

  unsigned u8() { return take(1)[0]; }
  unsigned u16() {
    const ByteView two = take(2);
    return static_cast<unsigned>(two[0] << 8 | two[1]);
  }
  std::uint32_t u32() { return read_u32(take(4)); }
  double real() {
    const std::uint32_t word = u32();
    const auto exponent = static_cast<std::int32_t>(word) >> 25;
    const auto coefficient = static_cast<std::int32_t>(word << 7) >> 7;
    return std::ldexp(coefficient, exponent - 25);
  }
  void skip(std::size_t count) { take(count); }

 private:
  ByteView take(std::size_t count) {
    const ByteView taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }

  ByteView left_;
};

Error nonsense(const char* what) { return malformed("chrony", what); }

Result<void> check_head(Reader& in, std::uint32_t sequence) {
  if (in.u8() != kVersion || in.u8() != kAnswer) return nonsense("not an answer of version 6");
  in.skip(2);
  if (in.u16() != kTracking) return nonsense("answers another question");
  const unsigned format = in.u16();
  const unsigned status = in.u16();
  in.skip(6);
  if (in.u32() != sequence) return nonsense("answers a question that is not open");
  in.skip(8);
  if (status != 0) return refused("chrony", "chronyd does not answer: status " + std::to_string(status));
  if (format != kTrackingAnswer) return nonsense("not a tracking answer");
  return {};
}

Result<Instant> read_time(Reader& in) {
  std::uint64_t high = in.u32();
  const std::uint64_t low = in.u32();
  const std::uint32_t nanoseconds = in.u32();
  if (high == kSecondsHighNotSaid) high = 0;
  if (high > kMaxSecondsHigh || nanoseconds >= 1'000'000'000) return nonsense("a time that there is not");
  const auto seconds = static_cast<std::int64_t>(high << 32 | low);
  return Instant(std::chrono::seconds(seconds) + Milliseconds(nanoseconds / 1'000'000));
}

Result<Milliseconds> milliseconds_up(double seconds) {
  if (!(std::abs(seconds) < kMaxSeconds)) return nonsense("a duration that no clock has");
  return Milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

}  // namespace

bool ChronyTracking::is_synchronised() const {
  return leap != kUnsynchronised && stratum > 0 && reference_id != kLocalReference;
}

ByteArray<kTrackingBytes> encode_tracking_request(std::uint32_t sequence) {
  Bytes head{kVersion, kQuestion, 0, 0};
  append_u16(head, kTracking);
  append_u16(head, 0);
  append_u32(head, sequence);
  ByteArray<kTrackingBytes> out{};
  std::copy(head.begin(), head.end(), out.begin());
  return out;
}

Result<ChronyTracking> decode_tracking(ByteView datagram, std::uint32_t sequence) {
  if (datagram.size() != kTrackingBytes) return nonsense("not as long as an answer");
  Reader in(datagram);
  TILLSYN_CHECK(check_head(in, sequence));
  ChronyTracking out;
  out.reference_id = in.u32();
  in.skip(20);
  out.stratum = in.u16();
  out.leap = in.u16();
  if (out.stratum > kMaxStratum || out.leap > kUnsynchronised) return nonsense("a state that there is not");
  TILLSYN_TRY(reference_time, read_time(in));
  TILLSYN_TRY(correction, milliseconds_up(in.real()));
  in.skip(5 * 4);
  const double root_delay = in.real();
  const double root_dispersion = in.real();
  if (root_delay < 0 || root_dispersion < 0) return nonsense("a distance below zero");
  TILLSYN_TRY(root_distance, milliseconds_up(root_delay / 2 + root_dispersion));
  out.reference_time = reference_time;
  out.correction = correction;
  out.root_distance = root_distance;
  return out;
}

}  // namespace tillsyn::board
