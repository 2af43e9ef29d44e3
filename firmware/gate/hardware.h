#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "firmware/board/description.h"
#include "firmware/board/light.h"

namespace tillsyn::gate {

// What can be seen of the hub's parts without using any of them. Threads: thread-bound.
class Hardware {
 public:
  // `state_directory`: whose disk counts. To be made before the program confines itself.
  Hardware(const board::BoardDescription& board, std::string state_directory);

  // Whether the device of a camera is there. False for an id that the board has not.
  bool has_camera(const std::string& id) const;
  std::vector<std::string> camera_ids() const;

  // A camera whose device is there and was not when this was made: plugged in since, or again; its id. A confined
  // program may not open it (Landlock knows files, not names).
  std::optional<std::string> new_camera() const;

  // Whether this process has a camera open, as the kernel sees it. kUnavailable "descriptors" if it cannot be seen.
  Result<bool> is_camera_held() const;

  // What the light shows; nullopt on a board without one. kIo or kUnavailable "light".
  Result<std::optional<bool>> is_light_lit() const;

  // Bytes that may still be written to the state's disk. kIo "disk".
  Result<std::uint64_t> free_bytes() const;

  bool has_button() const { return board_.button.kind != "none"; }

 private:
  using File = std::pair<std::uint64_t, std::uint64_t>;  // device, number
  static std::optional<File> file_at(const std::string& path);

  board::BoardDescription board_;
  std::string state_directory_;
  Result<board::LightSensor> light_;
  std::vector<std::optional<File>> cameras_;  // as they were, in the board's order
};

}  // namespace tillsyn::gate
