#pragma once

#include <sys/stat.h>

#include <string>

#include "firmware/board/clock.h"

namespace tillsyn::board::bench {

// A clock that tests set: the machine's, moved by a file {"offset_ms":n,"synchronised":bool} that is read again
// whenever it has changed. It gives samples; the judge is the same as everywhere, so a changed offset is a step and
// needs, as with any time service, an update after it: "synchronised" false and then true. The offset found at start is
// no step. A file that is absent or malformed is a clock that is not synchronised. Threads: thread-bound.
class FileClockSource : public ClockSource {
 public:
  explicit FileClockSource(std::string path) : path_(std::move(path)) {}

  ClockSample sample() override;

 private:
  void read_again();

  std::string path_;
  struct stat seen_ {};
  Milliseconds offset_{0};
  bool synchronised_ = false;
};

}  // namespace tillsyn::board::bench
