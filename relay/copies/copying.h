#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "relay/api/services.h"
#include "relay/copies/copy.h"
#include "relay/http/tls_stream.h"
#include "relay/http/workers.h"

namespace tillsyn::copies {

namespace asio = boost::asio;

// Keeps a copy of every provider's log in a folder, `<provider>.ledger`, which should be another machine's (AUD-1):
// half a second after an entry is durable here it is on its way there. It has a thread of its own, so a folder that
// fails or hangs keeps nothing else waiting: that is said, in the log, by `trouble` and in the figures, and tried
// again. Threads: bound to the loop.
class Copying {
 public:
  // Borrows `services`, which is used on `store` alone.
  Copying(http::Executor loop, http::Workers& store, api::Services& services, std::filesystem::path folder);

  // Copies until `stop`.
  asio::awaitable<void> run();
  void stop();
  // After `stop`, when the loop has ended: waits for what is being written.
  void join() { disk_.stop(); }

  // A sentence that says what to do; empty: every copy is as long as its log, or about to be.
  std::string trouble() const;
  // How many entries each provider's copy is known to hold.
  const std::map<std::string, std::uint64_t>& copied() const { return copied_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  asio::awaitable<void> copy(std::string provider);
  asio::awaitable<Result<bool>> copy_some(const std::string& provider);
  void note(const std::string& provider, const Result<bool>& done);

  http::Workers& store_;
  api::Services& services_;
  std::filesystem::path folder_;
  http::Workers disk_{1};
  http::Timer timer_;
  std::map<std::string, Copy> copies_;
  std::map<std::string, std::uint64_t> copied_;
  std::map<std::string, std::string> troubles_;  // provider -> what is wrong with its copy
  std::map<std::string, Time> not_before_;       // provider -> when it is tried again
  std::optional<Time> began_;                    // what is under way
  bool is_stopping_ = false;
};

}  // namespace tillsyn::copies
