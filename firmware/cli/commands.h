#pragma once

#include <CLI/CLI.hpp>

// The sub-commands of tillsyn-hub. Each adds itself to `app` and sets `exit_code` when it has run; 0 is success.
namespace tillsyn::cli {

// `windows --batch`: reads JSON lines {"schedule":…,"at":time} from standard input and answers each with a line
// {"open":bool,"next":time|null}, or {"error":sentence} for what cannot be read. A schedule is exactly the object that
// civil::parse_schedule reads. Answers are written out as soon as no further line is waiting.
void add_windows(CLI::App& app, int& exit_code);

// `label [--json]`: the hub's name and public device key, which a technician signs as a `device` order. Exit code 1
// when the hub has made no key yet.
void add_label(CLI::App& app, int& exit_code);

// `enrol --code CODE [--relay name:port]`: has tillsyn-link enrol this hub, and prints {"hub","ok","provider"}; or the
// reason on standard error, exit code 1.
void add_enrol(CLI::App& app, int& exit_code);

// `status [--json]`: how link, relay and gate are: camera, light, button, clock, bundle, assignment, next window, last
// view, disk, and each fault with what to do. Exit code 1 if link does not answer.
void add_status(CLI::App& app, int& exit_code);

// `selftest [--json]`: tries every part that a view needs, the light by lighting it, the camera without opening it; a
// line a part. Exit code 1 if any has a fault.
void add_selftest(CLI::App& app, int& exit_code);

// `wipe --yes`: overwrites and removes the device key, the link key and every file of both state directories, in this
// order. Refuses while tillsyn-link answers.
void add_wipe(CLI::App& app, int& exit_code);

}  // namespace tillsyn::cli
