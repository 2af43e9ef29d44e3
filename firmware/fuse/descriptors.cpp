#include "firmware/fuse/descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

namespace tillsyn::fuse {
namespace {

constexpr unsigned kVideo4LinuxMajor = 81;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

bool same_file(const struct stat& a, const struct stat& b) {
  const bool same_device = S_ISCHR(a.st_mode) && S_ISCHR(b.st_mode) && a.st_rdev == b.st_rdev;
  return same_device || (a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

std::vector<struct stat> find_files(const std::vector<std::string>& paths) {
  std::vector<struct stat> files;
  for (const std::string& path : paths) {
    struct stat file {};
    if (stat(path.c_str(), &file) == 0) files.push_back(file);
  }
  return files;
}

bool is_camera(const struct stat& file, const std::vector<struct stat>& cameras) {
  if (S_ISCHR(file.st_mode) && major(file.st_rdev) == kVideo4LinuxMajor) return true;
  return std::any_of(cameras.begin(), cameras.end(),
                     [&](const struct stat& camera) { return same_file(file, camera); });
}

}  // namespace

Result<bool> holds_camera(pid_t process, const std::vector<std::string>& camera_paths) {
  const auto cameras = find_files(camera_paths);
  const std::string path = "/proc/" + std::to_string(process) + "/fd";
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (!directory) return Error{Code::kUnavailable, "descriptors", path + ": " + std::strerror(errno)};
  while (const dirent* entry = readdir(directory.get())) {
    struct stat file {};
    if (entry->d_name[0] == '.') continue;
    if (fstatat(dirfd(directory.get()), entry->d_name, &file, 0) != 0) {
      if (errno == ENOENT) continue;  // closed meanwhile
      return Error{Code::kUnavailable, "descriptors", path + ": " + std::strerror(errno)};
    }
    if (is_camera(file, cameras)) return true;
  }
  return false;
}

}  // namespace tillsyn::fuse
