#pragma once

#include <sys/types.h>

#include <string>

#include "common/base/unique_fd.h"
#include "firmware/board/tpm_key_place.h"
#include "tests/unit/temp_dir.h"

namespace tillsyn::board_test {

// swtpm, a whole TPM 2.0 as a program, at a terminal that stands in for the kernel's device. What it keeps outlives
// `stop` and `start`, as a TPM's does the power.
class SoftTpm {
 public:
  SoftTpm() { start(); }
  ~SoftTpm() { stop(); }
  SoftTpm(const SoftTpm&) = delete;
  SoftTpm& operator=(const SoftTpm&) = delete;

  void start();
  void stop();

  std::string tcti() const { return "device:" + dir_ / "tpm"; }
  board::TpmKeyPlace place() const { return board::TpmKeyPlace(tcti()); }

 private:
  const test::TempDir dir_;
  UniqueFd device_;  // held, as its first closing would end swtpm
  pid_t process_ = -1;
};

}  // namespace tillsyn::board_test
