#pragma once

#include <memory>
#include <string>

#include "firmware/board/light.h"

namespace tillsyn::board::bench {

// A light that tests watch: a file that holds "1" or "0". Threads: thread-bound.
class FileLight : public Light {
 public:
  // Makes the file unless it is there. kUnavailable "light" if that fails.
  static Result<std::unique_ptr<Light>> open(const std::string& path);

  Result<void> set(bool lit) override;
  Result<bool> is_lit() override;

 private:
  explicit FileLight(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace tillsyn::board::bench
