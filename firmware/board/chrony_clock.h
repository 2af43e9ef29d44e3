#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "firmware/board/chrony_tracking.h"
#include "firmware/board/clock.h"

namespace tillsyn::board {

// What may be made of chrony's answers. Pure. Threads: thread-bound.
//
// Synchronised: chronyd follows somebody, its last update is at most an hour old by wall and by monotonic clock, and it
// has answered within 5 s. The bound of the error is its distance from the world's time and the machine's from its own.
// Words: synchronised, no_answer, not_understood, not_synchronised, no_update (none within the hour, or of a time that
// cannot be).
class ChronyWord {
 public:
  static constexpr Milliseconds kAnswerLife{5'000};
  static constexpr Milliseconds kUpdateLife{3'600'000};

  // An answer that came at `now`, of which `utc` and `mono` count.
  void heard(const ChronyTracking& tracking, const ClockSample& now);

  // Something came in an answer's place.
  void not_understood() { was_nonsense_ = true; }

  // Completes a sample of which `utc` and `mono` are there.
  void complete(ClockSample& sample) const;

 private:
  struct Answer {
    ChronyTracking tracking;
    Milliseconds at{0};                      // mono
    std::optional<Milliseconds> updated_at;  // mono of the last update; nullopt: its time cannot be
  };

  const char* why_not(const ClockSample& sample) const;

  std::optional<Answer> answer_;
  bool was_nonsense_ = false;  // since the last answer
};

// The machine's clock, and chronyd's word on it, asked for once a second through its command socket. Never blocks; one
// question at a time. Answers are taken from chronyd's own address alone, as decode_tracking reads them, at most eight
// datagrams a sample. Threads: thread-bound.
class ChronyClockSource : public ClockSource {
 public:
  static constexpr Milliseconds kAskEvery{1'000};

  // `server` is chronyd's socket, /run/chrony/chronyd.sock. The own socket is made beside it, where chronyd may send
  // to, in the place of one that an earlier program has left, and removed with the source. kUnavailable "clock" if that
  // cannot be done. chronyd need not be there. No other call makes a socket, binds or connects.
  static Result<std::unique_ptr<ClockSource>> open(const std::string& server);

  ~ChronyClockSource() override;
  ClockSample sample() override;

 private:
  ChronyClockSource(UniqueFd fd, std::string own, std::string server)
      : fd_(std::move(fd)), own_(std::move(own)), server_(std::move(server)) {}

  void listen(const ClockSample& now);
  void ask(Milliseconds mono);

  UniqueFd fd_;
  std::string own_;
  std::string server_;
  std::optional<std::uint32_t> open_question_;
  std::optional<Milliseconds> asked_at_;
  ChronyWord word_;
};

}  // namespace tillsyn::board
