#include "firmware/board/chrony_clock.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/crypto/random.h"

namespace tillsyn::board {
namespace {

constexpr Milliseconds kBackwards{1000};  // rounding, and what chrony corrects between its update and its answer
constexpr int kAtATime = 8;
constexpr const char* kOwnName = "tillsyn-gate.sock";

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error{Code::kUnavailable, "clock", path + ": too long"};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* as_sockaddr(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Error failure(const std::string& path) { return {Code::kUnavailable, "clock", path + ": " + std::strerror(errno)}; }

// Open to chronyd, who is another user; who gets as far as this file is the folder's to say.
Result<UniqueFd> bind_beside(const std::string& own) {
  TILLSYN_TRY(address, address_of(own));
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return failure(own);
  ::unlink(own.c_str());
  if (::bind(fd.get(), as_sockaddr(address), sizeof address) != 0 || ::chmod(own.c_str(), 0666) != 0)
    return failure(own);
  return fd;
}

}  // namespace

void ChronyWord::heard(const ChronyTracking& tracking, const ClockSample& now) {
  const bool is_same_update = answer_ && answer_->tracking.reference_time == tracking.reference_time;
  const auto updated_before = is_same_update ? answer_->updated_at : std::nullopt;
  answer_ = Answer{tracking, now.mono, updated_before};
  was_nonsense_ = false;
  if (is_same_update) return;
  const Milliseconds age = now.utc + tracking.correction - tracking.reference_time;
  if (age >= -kBackwards && age <= kUpdateLife) answer_->updated_at = now.mono - std::max(age, Milliseconds(0));
}

const char* ChronyWord::why_not(const ClockSample& sample) const {
  if (!answer_ || sample.mono - answer_->at > kAnswerLife) return was_nonsense_ ? "not_understood" : "no_answer";
  if (!answer_->tracking.is_synchronised()) return "not_synchronised";
  if (!answer_->updated_at || sample.mono - *answer_->updated_at > kUpdateLife) return "no_update";
  return nullptr;
}

void ChronyWord::complete(ClockSample& sample) const {
  const char* reason = why_not(sample);
  sample.synchronised = reason == nullptr;
  sample.word = reason == nullptr ? "synchronised" : reason;
  if (!sample.synchronised) return;
  sample.max_error = std::chrono::abs(answer_->tracking.correction) + answer_->tracking.root_distance;
  sample.updated_at = answer_->updated_at;
}

Result<std::unique_ptr<ClockSource>> ChronyClockSource::open(const std::string& server) {
  TILLSYN_CHECK(address_of(server));
  const std::string own = (std::filesystem::path(server).parent_path() / kOwnName).string();
  TILLSYN_TRY(fd, bind_beside(own));
  return std::unique_ptr<ClockSource>(new ChronyClockSource(std::move(fd), own, server));
}

// In a confined gate, which may not, the next one takes its place.
ChronyClockSource::~ChronyClockSource() { ::unlink(own_.c_str()); }

ClockSample ChronyClockSource::sample() {
  ClockSample sample = read_clocks();
  listen(sample);
  ask(sample.mono);
  word_.complete(sample);
  return sample;
}

void ChronyClockSource::listen(const ClockSample& now) {
  std::array<std::uint8_t, kTrackingBytes + 1> datagram{};  // one more, to see what is too long
  for (int i = 0; i < kAtATime; ++i) {
    sockaddr_un from{};
    socklen_t from_bytes = sizeof from;
    const ssize_t got = ::recvfrom(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from), &from_bytes);
    if (got < 0) return;
    const auto name_bytes = from_bytes - std::min<socklen_t>(from_bytes, offsetof(sockaddr_un, sun_path));
    if (!open_question_ || std::string_view(from.sun_path, strnlen(from.sun_path, name_bytes)) != server_) continue;
    const auto answer = decode_tracking(ByteView(datagram).first(static_cast<std::size_t>(got)), *open_question_);
    if (!answer) {
      word_.not_understood();
      continue;
    }
    open_question_.reset();
    word_.heard(*answer, now);
  }
}

// A question without an answer is followed by the next one, under a number that nobody can have guessed.
void ChronyClockSource::ask(Milliseconds mono) {
  if (asked_at_ && mono - *asked_at_ < kAskEvery) return;
  asked_at_ = mono;
  std::array<std::uint8_t, 4> number{};
  crypto::random_bytes(number);
  open_question_ = read_u32(number);
  const auto question = encode_tracking_request(*open_question_);
  const auto address = address_of(server_);
  const ssize_t sent = ::sendto(fd_.get(), question.data(), question.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                as_sockaddr(*address), sizeof *address);
  if (sent < 0) open_question_.reset();  // nobody there: asked again in a second
}

}  // namespace tillsyn::board
