#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "firmware/ipc/messages.h"
#include "firmware/link/http.h"

// What a relay's answer means. Pure; nothing here believes the relay: sizes are checked, the rest is gate's to judge.
// Threads: reentrant.
namespace tillsyn::link {

// The answer's JSON. An HTTP status from 400 on is kUnavailable (408, 429, 5xx: later) or kRefused, with the problem's
// `code` (RFC 9457) as reason, or "http_404" if there is none.
Result<Json> read_reply(const Result<Reply>& reply);

struct ToGate {
  ipc::MessageType type;
  Bytes body;
};

struct Delivery {
  std::vector<ToGate> messages;  // in the order in which gate should hear them: trust, orders, views, acknowledgement
  std::uint64_t events_acked = 0;
  std::size_t skipped = 0;  // larger than gate would take, or no object
};

// Reads the answer of a poll or of GET /hub/v1/trust; members that are absent or null bring nothing.
Delivery read_delivery(const Json& answer);

}  // namespace tillsyn::link
