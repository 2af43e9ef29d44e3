#pragma once

#include <memory>
#include <string>

#include "firmware/board/button.h"

namespace tillsyn::board::bench {

// A button that tests press: a FIFO that takes the lines "press" and "hold". Anything else is ignored.
// Threads: thread-bound.
class FifoButton : public Button {
 public:
  // Makes the FIFO, mode 0600, unless it is there. kUnavailable "button" if that fails or the path is something else.
  static Result<std::unique_ptr<Button>> open(const std::string& path);

  int fd() const override { return fd_.get(); }
  Result<std::optional<Press>> read() override;

 private:
  explicit FifoButton(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  std::string pending_;
};

}  // namespace tillsyn::board::bench
