#include "relay/admin/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/unique_fd.h"

namespace tillsyn::admin {
namespace {

Error file_fault(const Path& file, const char* what) {
  return {Code::kIo, "file", std::string("cannot ") + what + " " + file.string() + ": " + std::strerror(errno)};
}

Result<UniqueFd> open_to_read(const Path& file) {
  UniqueFd in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.is_open()) return in;
  if (errno == ENOENT) return Error{Code::kNotFound, "file", "there is no file " + file.string() + ": check the path"};
  return file_fault(file, "open");
}

Result<std::string> read_all(const UniqueFd& in, const Path& file, std::size_t max_bytes) {
  std::string out;
  std::array<char, 16384> part;
  for (;;) {
    const ssize_t count = ::read(in.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_fault(file, "read");
    if (count == 0) return out;
    out.append(part.data(), static_cast<std::size_t>(count));
    if (out.size() > max_bytes) return malformed("file", file.string() + " is too long to be what was asked for");
  }
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(fd) == 0;
}

Result<void> sync_folder(const Path& file) {
  const Path folder = file.has_parent_path() ? file.parent_path() : Path(".");
  const UniqueFd in(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!in.is_open() || ::fsync(in.get()) != 0) return file_fault(folder, "sync");
  return {};
}

// A file beside the one that is meant, removed again unless it took its place.
class Beside {
 public:
  explicit Beside(const Path& file) : file_(file), name_(file.string() + ".XXXXXX") {
    fd_.reset(::mkostemp(name_.data(), O_CLOEXEC));
  }
  ~Beside() {
    if (fd_.is_open()) ::unlink(name_.c_str());
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;

  Result<void> fill(std::string_view content, mode_t mode) {
    if (!fd_.is_open() || ::fchmod(fd_.get(), mode) != 0 || !write_all(fd_.get(), content))
      return file_fault(file_, "write");
    return {};
  }

  Result<void> replace() {
    if (::rename(name_.c_str(), file_.c_str()) != 0) return file_fault(file_, "replace");
    fd_.reset();
    return sync_folder(file_);
  }

  Result<void> place_if_none() {
    if (::link(name_.c_str(), file_.c_str()) == 0) return sync_folder(file_);
    if (errno != EEXIST) return file_fault(file_, "make");
    return Error{Code::kConflict, "file",
                 file_.string() + " is there already and is not overwritten: name another file"};
  }

 private:
  Path file_;
  std::string name_;
  UniqueFd fd_;
};

}  // namespace

Result<std::string> read_file(const Path& file, std::size_t max_bytes) {
  TILLSYN_TRY(in, open_to_read(file));
  return read_all(in, file, max_bytes);
}

Result<std::string> read_private_file(const Path& file, std::size_t max_bytes) {
  TILLSYN_TRY(in, open_to_read(file));
  struct stat about {};
  if (::fstat(in.get(), &about) != 0) return file_fault(file, "look at");
  if ((about.st_mode & 077) != 0)
    return refused("file_mode", "others than its owner may read " + file.string() +
                                    ": take that away (chmod 600), and make a new key if somebody may have read it");
  return read_all(in, file, max_bytes);
}

Result<void> write_file(const Path& file, std::string_view content, mode_t mode) {
  Beside beside(file);
  TILLSYN_CHECK(beside.fill(content, mode));
  return beside.replace();
}

Result<void> write_new_file(const Path& file, std::string_view content, mode_t mode) {
  Beside beside(file);
  TILLSYN_CHECK(beside.fill(content, mode));
  return beside.place_if_none();
}

}  // namespace tillsyn::admin
