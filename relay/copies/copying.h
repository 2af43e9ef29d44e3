#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "relay/alarms/hearing.h"
#include "relay/api/services.h"
#include "relay/copies/copy.h"
#include "relay/http/tls_stream.h"
#include "relay/http/workers.h"

namespace tillsyn::copies {

namespace asio = boost::asio;

// Keeps a copy of every provider's log in a folder, `<provider>.ledger`, which should be another machine's (AUD-1):
// half a second after an entry is durable here it is on its way there. It has a thread of its own, so a folder that
// fails or hangs keeps nothing else waiting: that is said, in the log, by `trouble`, in the figures and as an alarm of
// the provider's, and tried again. Threads: bound to the loop.
class Copying {
 public:
  // Borrows `services`, which is used on `store` alone.
  Copying(http::Executor loop, http::Workers& store, api::Services& services, std::filesystem::path folder);

  // Copies until `stop`, and then to the end of what is being written.
  asio::awaitable<void> run();
  void stop();
  // Whether `run` has come to its end. After `stop` it does at once, but for a folder that hangs: its thread cannot be
  // ended then, nor this object; only the process can.
  bool has_ended() const { return has_ended_; }

  // A sentence that says what to do; empty: every copy is as long as its log, or about to be.
  std::string trouble() const;
  // The same of each provider; nullopt before anything has been looked at.
  std::optional<std::map<std::string, alarms::CopyHeard>> heard() const;
  // How many entries each provider's copy is known to hold.
  const std::map<std::string, std::uint64_t>& copied() const { return copied_; }

 private:
  using Clock = std::chrono::steady_clock;

  // One provider's.
  struct Followed {
    Copy copy;
    Clock::time_point level;            // when it was last as long as its log; or followed since
    Clock::time_point not_before = {};  // it is tried then
    bool was_tried = false;
    std::optional<alarms::CopyHeard::State> failure = {};  // of the last try
    Clock::time_point failed = {};                         // since when
    std::string trouble = {};
  };

  asio::awaitable<void> copy(std::string provider);
  asio::awaitable<Result<bool>> copy_some(const std::string& provider);
  void note(const std::string& provider, const Result<bool>& done);
  void note_failure(const std::string& provider, const Error& error);
  static bool is_behind(const Followed& one);
  static alarms::CopyHeard heard_of(const Followed& one);

  http::Workers& store_;
  api::Services& services_;
  std::filesystem::path folder_;
  http::Workers disk_{1};
  http::Timer timer_;
  std::map<std::string, Followed> followed_;
  std::map<std::string, std::uint64_t> copied_;
  bool is_stopping_ = false;
  bool has_ended_ = false;
};

}  // namespace tillsyn::copies
