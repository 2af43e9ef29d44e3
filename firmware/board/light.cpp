#include "firmware/board/light.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "firmware/files/files.h"

namespace tillsyn::board {
namespace {

Error failed(const char* what) { return {Code::kIo, "light", std::string(what) + ": " + std::strerror(errno)}; }

Result<std::string> read_word(const std::string& path) {
  TILLSYN_TRY(content, files::read(path, 4096));
  const std::string text = content ? text_of(*content) : "";
  return text.substr(0, text.find_first_of(" \n"));
}

Result<bool> read_lit(int fd) {
  char digit = '0';
  if (pread(fd, &digit, 1, 0) != 1) return failed("read");
  return digit != '0';
}

}  // namespace

Result<std::unique_ptr<Light>> LedLight::open(const std::string& directory) {
  TILLSYN_TRY(on, read_word(directory + "/max_brightness"));
  UniqueFd brightness(::open((directory + "/brightness").c_str(), O_RDWR | O_CLOEXEC));
  if (on.empty() || !brightness.is_open()) return Error{Code::kUnavailable, "light", directory + ": no LED here"};
  return std::unique_ptr<Light>(new LedLight(std::move(brightness), on));
}

Result<void> LedLight::set(bool lit) {
  const std::string word = (lit ? on_ : "0") + "\n";
  if (pwrite(brightness_.get(), word.data(), word.size(), 0) < 0) return failed("set");
  return {};
}

Result<bool> LedLight::is_lit() { return read_lit(brightness_.get()); }

Result<LightSensor> LightSensor::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return Error{Code::kUnavailable, "light", path + ": " + std::strerror(errno)};
  return LightSensor(std::move(fd));
}

Result<bool> LightSensor::is_lit() const { return read_lit(fd_.get()); }

}  // namespace tillsyn::board
