#include "firmware/camera/source.h"

namespace tillsyn::camera {

void register_board_sources() {}

}  // namespace tillsyn::camera
