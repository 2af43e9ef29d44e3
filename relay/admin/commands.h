#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "common/base/result.h"

// The sub-commands of tillsyn-admin. Each adds itself to `app`; the one that is named puts what it will do into
// `chosen`, for main to run: success is exit code 0, a failure one sentence on standard error and exit code 1.
namespace tillsyn::admin {

using Action = std::function<Result<void>()>;

void add_keys(CLI::App& app, Action& chosen);        // root-key new, bundle-key new, relay-keys
void add_fleet_root(CLI::App& app, Action& chosen);  // make
void add_root(CLI::App& app, Action& chosen);        // make, check
void add_trust(CLI::App& app, Action& chosen);       // make, check, publish
void add_ledger(CLI::App& app, Action& chosen);      // export, verify, show

}  // namespace tillsyn::admin
