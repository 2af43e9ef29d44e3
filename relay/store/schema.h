#pragma once

#include <span>

#include "relay/store/database.h"

namespace tillsyn::store {

// Every table there is, as numbered steps: never changed once released, only added to.
std::span<const Migration> provider_schema();
std::span<const Migration> shared_schema();

}  // namespace tillsyn::store
