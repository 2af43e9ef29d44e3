#include "firmware/link/backoff.h"

#include <algorithm>

namespace tillsyn::link {

Milliseconds Backoff::failed() {
  const Milliseconds half = step_ / 2;
  const Milliseconds pause = half + Milliseconds(random_() % static_cast<std::uint32_t>(half.count() + 1));
  step_ = std::min(2 * step_, kLongest);
  return pause;
}

}  // namespace tillsyn::link
