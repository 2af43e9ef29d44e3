#include "firmware/board/bench/file_light.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tillsyn::board::bench {

Result<std::unique_ptr<Light>> FileLight::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.is_open()) return Error{Code::kUnavailable, "light", path + ": " + std::strerror(errno)};
  return std::unique_ptr<Light>(new FileLight(std::move(fd)));
}

Result<void> FileLight::set(bool lit) {
  if (pwrite(fd_.get(), lit ? "1\n" : "0\n", 2, 0) != 2) return Error{Code::kIo, "light", std::strerror(errno)};
  return {};
}

Result<bool> FileLight::is_lit() {
  char digit = '0';
  if (pread(fd_.get(), &digit, 1, 0) < 0) return Error{Code::kIo, "light", std::strerror(errno)};
  return digit == '1';
}

}  // namespace tillsyn::board::bench
