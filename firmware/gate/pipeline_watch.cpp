#include "firmware/gate/pipeline_watch.h"

namespace tillsyn::gate {

const char* disagreement(bool view_runs, const Result<bool>& camera_held,
                         const Result<std::optional<bool>>& light_lit) {
  if (!view_runs) return camera_held && !*camera_held ? nullptr : "camera_held";
  const bool shines = light_lit && light_lit->value_or(true);
  return shines ? nullptr : "light_dark";
}

}  // namespace tillsyn::gate
