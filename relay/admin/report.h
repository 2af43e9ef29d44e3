#pragma once

#include <string>
#include <vector>

namespace tillsyn::admin {

// What people should hear about a piece of work besides its result. Threads: thread-bound.
struct Report {
  std::vector<std::string> notes;   // that something changed
  std::vector<std::string> alarms;  // that somebody has to look at something
};

}  // namespace tillsyn::admin
