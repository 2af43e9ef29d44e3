#pragma once

#include <cstdint>
#include <string>

#include "common/base/instant.h"
#include "common/base/json.h"
#include "common/base/result.h"

namespace tillsyn::sessions {

// Who holds a WebSocket.
struct Viewer {
  std::string provider;
  std::string issuer;
  std::string person;
  Instant expires_at;  // of the session
};

// A view that the relay has judged and entered in the log.
struct EnteredView {
  std::string hash;  // of the order, base64url
  std::string provider;
  std::string hub;
  std::string resident;
  std::string order;  // JSON text
  std::uint64_t seq = 0;
  std::string time;  // of the entry
};

// What the sessions ask of the folders behind them.
// Threads: called on the store thread alone, one call at a time; may block on disk. Nothing throws.
class Desk {
 public:
  virtual ~Desk() = default;

  // The session opened under this token. Refused, "no_session", when there is none or it has ended.
  // Counts as the person's activity.
  virtual Result<Viewer> authenticate(const std::string& token) = 0;

  // The same without counting as activity: an open page is nobody's presence.
  virtual Result<Viewer> look_up(const std::string& token) = 0;

  // Judges the view order (JSON text) as the hub will, as far as the relay can; its signer must be the viewer. Accepted
  // means that the entry is durable. A refusal is entered too, and its reason is a word of PROTOCOL.md, "Refusals".
  virtual Result<EnteredView> accept_view(const Viewer& viewer, const std::string& order) = 0;

  // The offer (PROTOCOL.md) as JSON text, made at delivery for a hub whose status is `status`: checkpoint, inclusion,
  // and consistency from the hub's, the view's and the bundle's.
  virtual Result<std::string> offer(const EnteredView& view, const Json& status) = 0;

  // Enters what the relay itself saw of a view: "view_failed" or "view_stopped" with the machine word why. Durable when
  // it returns.
  virtual Result<void> saw(const EnteredView& view, const std::string& what, const std::string& reason) = 0;
};

}  // namespace tillsyn::sessions
