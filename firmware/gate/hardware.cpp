#include "firmware/gate/hardware.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "firmware/fuse/descriptors.h"

namespace tillsyn::gate {
namespace {

std::string sensor_path(const board::LightDescription& light) {
  return light.kind == "led" ? light.path + "/brightness" : light.path;
}

}  // namespace

Hardware::Hardware(const board::BoardDescription& board, std::string state_directory)
    : board_(board),
      state_directory_(std::move(state_directory)),
      light_(board::LightSensor::open(sensor_path(board.light))) {
  for (const auto& camera : board_.cameras) cameras_.push_back(file_at(camera.path));
}

std::optional<Hardware::File> Hardware::file_at(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return std::nullopt;
  return File(file.st_dev, file.st_ino);
}

bool Hardware::has_camera(const std::string& id) const {
  const auto found = std::ranges::find(board_.cameras, id, &board::CameraDescription::id);
  return found != board_.cameras.end() && file_at(found->path).has_value();
}

std::optional<std::string> Hardware::new_camera() const {
  for (std::size_t i = 0; i < cameras_.size(); ++i) {
    const auto now = file_at(board_.cameras[i].path);
    if (now && now != cameras_[i]) return board_.cameras[i].id;
  }
  return std::nullopt;
}

std::vector<std::string> Hardware::camera_ids() const {
  std::vector<std::string> ids;
  for (const auto& camera : board_.cameras) ids.push_back(camera.id);
  return ids;
}

Result<bool> Hardware::is_camera_held() const { return fuse::holds_camera(getpid(), board_.camera_paths); }

Result<std::optional<bool>> Hardware::is_light_lit() const {
  if (board_.light.kind == "none") return std::optional<bool>();
  if (!light_) return light_.error();
  TILLSYN_TRY(lit, light_->is_lit());
  return std::optional(lit);
}

Result<std::uint64_t> Hardware::free_bytes() const {
  struct statvfs disk {};
  if (statvfs(state_directory_.c_str(), &disk) != 0) return Error{Code::kIo, "disk", "the disk cannot be asked"};
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace tillsyn::gate
