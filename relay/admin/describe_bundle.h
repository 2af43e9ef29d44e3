#pragma once

#include <string>

#include "common/base/instant.h"
#include "common/orders/bundle.h"
#include "common/orders/root_list.h"

namespace tillsyn::admin {

// What the bundle says, in plain words, and what of it should worry somebody at `now`. Threads: reentrant.
std::string describe(const orders::Bundle& bundle, const orders::RootList& list, Instant now);

}  // namespace tillsyn::admin
