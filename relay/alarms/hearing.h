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

// What is known of the copy of one provider's log in a folder of another machine's (relay/copies).
struct CopyHeard {
  enum class State {
    kUnknown,    // not looked at yet: an alarm that stands stays
    kWell,       // as long as the log, or about to be; or none is kept
    kLate,       // cannot be written, or has not kept up
    kDisagrees,  // not of this log
  };
  State state = State::kUnknown;
  std::string reason;                 // when late
  std::chrono::milliseconds lasts{};  // late or disagreeing
};

}  // namespace tillsyn::alarms
