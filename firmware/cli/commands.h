#pragma once

#include <CLI/CLI.hpp>

// The sub-commands of tillsyn-hub. Each adds itself to `app` and sets `exit_code` when it has run; 0 is success.
namespace tillsyn::cli {

// `windows --batch`: reads JSON lines {"schedule":…,"at":time} from standard input and answers each with a line
// {"open":bool,"next":time|null}, or {"error":sentence} for what cannot be read. A schedule is exactly the object that
// civil::parse_schedule reads. Answers are written out as soon as no further line is waiting.
void add_windows(CLI::App& app, int& exit_code);

}  // namespace tillsyn::cli
