#pragma once

#include <chrono>
#include <map>
#include <string>

namespace tillsyn::alarms {

// What presence knew of one hub when it was asked.
struct Heard {
  bool is_online = false;
  std::chrono::milliseconds silent{};      // since it was heard last, or since the relay began to expect it
  std::chrono::milliseconds online_for{};  // since it was heard first, or again
};

using Hearing = std::map<std::string, Heard>;  // of one provider, by hub

}  // namespace tillsyn::alarms
