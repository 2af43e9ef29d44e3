#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "firmware/link/backoff.h"

namespace tillsyn::link {

// A relay as the root list names it.
struct Relay {
  std::string host;               // "name:port"
  std::optional<std::string> ca;  // PEM; none: the system's

  friend bool operator==(const Relay&, const Relay&) = default;
};

// Whether this is "name:port": letters, digits, dots, dashes (or an IPv6 address in brackets), port 1-65535. Nothing
// that could change what a URL means. Threads: reentrant, like the rest here.
bool is_host(std::string_view text);

// Reads gate's list, [{"host","ca"}], 1 to 16 of them. Reason: "relays".
Result<std::vector<Relay>> parse_relays(std::string_view text);

// Which relay link talks to: one at a time, the next in the list after a failure. Threads: thread-bound.
class RelayChoice {
 public:
  explicit RelayChoice(std::function<std::uint32_t()> random) : backoff_(std::move(random)) {}

  // Takes a new list; what is in use stays in use if it is still listed, unchanged.
  void set(std::vector<Relay> relays);

  const Relay* current() const { return relays_.empty() ? nullptr : &relays_[index_]; }

  void succeeded();

  // Notes and logs the failure, by name and once for each run of the same one; goes on to the next relay. Returns how
  // long to wait before trying that.
  Milliseconds failed(const Error& error);

  // "" while all is well, else the reason of the newest failure.
  const std::string& trouble() const { return trouble_; }

 private:
  std::vector<Relay> relays_;
  std::size_t index_ = 0;
  Backoff backoff_;
  std::string trouble_;
};

}  // namespace tillsyn::link
