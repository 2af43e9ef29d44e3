#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace tillsyn::link {

inline constexpr std::size_t kMaxControlBytes = 64 * 1024;

// What `tillsyn-hub` may ask, one SOCK_SEQPACKET message of JSON a connection, answered by one:
//   {"do":"status"}                                      -> {"ok":true,…}
//   {"do":"check","light":bool}                         -> the same, with "check" from gate (null: it does not answer)
//   {"do":"enrol","code":text,"relay":"name:port"|null}  -> {"ok":true,"hub","provider"}
// or {"ok":false,"reason":word,"message":sentence}.
struct ControlRequest {
  enum class Kind { kStatus, kCheck, kEnrol };
  Kind kind = Kind::kStatus;
  std::string code;
  std::optional<std::string> relay;
  bool light = false;  // check: try it
};

// Pure. Reason: "control".
Result<ControlRequest> parse_control(std::string_view text);

std::string control_failure(const Error& error);

// The socket on which the hub's command line asks. Threads: thread-bound.
class Control {
 public:
  static constexpr std::size_t kMaxPeers = 4;

  using Answer =
      std::function<void(const std::string& text)>;  // may be called later, once; a peer that has left is no fault
  using Handler = std::function<void(const ControlRequest&, Answer)>;

  // Binds `path`, mode 0660. kIo "ipc" if that fails.
  static Result<Control> open(const std::string& path, Handler handler);

  // Adds what is to be polled.
  void watch(std::vector<pollfd>& fds) const;

  // Takes new peers and their requests.
  void tick();

 private:
  Control(UniqueFd listener, Handler handler) : listener_(std::move(listener)), handler_(std::move(handler)) {}

  void take_peers();
  bool take_request(std::uint64_t id, int peer);  // false: the peer has left
  void answer(std::uint64_t id, const std::string& text);

  UniqueFd listener_;
  Handler handler_;
  std::map<std::uint64_t, UniqueFd> peers_;
  std::uint64_t last_ = 0;
};

}  // namespace tillsyn::link
