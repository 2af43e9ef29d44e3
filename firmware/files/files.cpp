#include "firmware/files/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/unique_fd.h"

namespace tillsyn::files {
namespace {

Error failed(const std::string& path) { return {Code::kIo, "file", path + ": " + std::strerror(errno)}; }

Result<Bytes> read_all(int fd, const std::string& path, std::size_t max_bytes) {
  Bytes content(max_bytes + 1);
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(fd, content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled > max_bytes) return malformed("file", path + ": longer than " + std::to_string(max_bytes) + " bytes");
  content.resize(filled);
  return content;
}

Result<void> write_all(int fd, const std::string& path, ByteView content) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed(path);
    content = content.subspan(static_cast<std::size_t>(put));
  }
  if (fsync(fd) != 0) return failed(path);
  return {};
}

Result<void> check_private(int fd, const std::string& path) {
  struct stat file {};
  if (fstat(fd, &file) != 0) return failed(path);
  const bool is_private = S_ISREG(file.st_mode) && file.st_uid == geteuid() && (file.st_mode & 0077) == 0;
  if (!is_private) return malformed("file", path + ": not a file that only its own user may read");
  return {};
}

Result<void> sync_directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const UniqueFd fd(open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || fsync(fd.get()) != 0) return failed(directory);
  return {};
}

Result<std::optional<Bytes>> read_checked(const std::string& path, std::size_t max_bytes, bool must_be_private) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | (must_be_private ? O_NOFOLLOW : 0)));
  if (!fd.is_open() && errno == ENOENT) return std::optional<Bytes>();
  if (!fd.is_open()) return failed(path);
  if (must_be_private) TILLSYN_CHECK(check_private(fd.get(), path));
  TILLSYN_TRY(content, read_all(fd.get(), path, max_bytes));
  return std::optional<Bytes>(std::move(content));
}

}  // namespace

Result<std::optional<Bytes>> read(const std::string& path, std::size_t max_bytes) {
  return read_checked(path, max_bytes, false);
}

Result<std::optional<Bytes>> read_private(const std::string& path, std::size_t max_bytes) {
  return read_checked(path, max_bytes, true);
}

Result<void> write_private(const std::string& path, ByteView content) {
  const std::string unfinished = path + ".new";
  {
    const UniqueFd fd(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open() || fchmod(fd.get(), 0600) != 0) return failed(unfinished);
    TILLSYN_CHECK(write_all(fd.get(), unfinished, content));
  }
  if (rename(unfinished.c_str(), path.c_str()) != 0) return failed(path);
  return sync_directory_of(path);
}

Result<void> destroy(const std::string& path) {
  {
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.is_open() && errno == ENOENT) return {};
    struct stat file {};
    if (!fd.is_open() || fstat(fd.get(), &file) != 0) return failed(path);
    TILLSYN_CHECK(write_all(fd.get(), path, Bytes(static_cast<std::size_t>(file.st_size), 0)));
  }
  if (unlink(path.c_str()) != 0) return failed(path);
  return sync_directory_of(path);
}

}  // namespace tillsyn::files
