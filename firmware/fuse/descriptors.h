#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/result.h"

namespace tillsyn::fuse {

// Whether the process has a camera open: a V4L2 device, or the file behind one of `camera_paths` by whatever name it
// was opened. kUnavailable "descriptors" if its descriptors cannot be read: it has ended, or shuts us out. Threads:
// reentrant.
Result<bool> holds_camera(pid_t process, const std::vector<std::string>& camera_paths);

}  // namespace tillsyn::fuse
