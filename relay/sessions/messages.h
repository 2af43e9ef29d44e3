#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "relay/hubs/hubs.h"
#include "relay/sessions/desk.h"

// The texts on the staff app's WebSocket (PROTOCOL.md, "Staff app and relay"). Threads: all reentrant.
namespace tillsyn::sessions {

inline constexpr std::size_t kMaxMessageBytes = 80 * 1024;  // an order of 64 KiB and what stands round it
inline constexpr std::size_t kLifeBytes = 64;

struct Authenticate {
  std::string token;
};
struct StartView {
  std::string order;  // JSON text
};
struct EndView {};
using Incoming = std::variant<Authenticate, StartView, EndView>;

// Reason: "json" or "member".
Result<Incoming> read_message(std::string_view text);

// What a hub's answer says to the relay, which judges none of it. Reason: "json" or "member".
struct AnswerHead {
  std::string order;                  // hash, base64url
  std::optional<std::string> stream;  // of an open one
};
Result<AnswerHead> read_answer(const Json& envelope);

std::string format_ready();
std::string format_changed();
std::string format_end();
// `hubs` in full at the beginning; afterwards only those that changed.
std::string format_hubs(const std::vector<hubs::Hubs::Known>& hubs);
Json hub_json(const hubs::Hubs::Known& hub);  // one of these, as GET /v1/hubs lists it too
std::string format_offered(const EnteredView& view);
std::string format_answer(const Json& envelope);
std::string format_problem(const Error& error);

}  // namespace tillsyn::sessions
