#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"
#include "relay/hubs/desk.h"

// The bodies between hub and relay (PROTOCOL.md, "Hub and relay"), to and from text. Threads: all reentrant.
namespace tillsyn::hubs {

inline constexpr std::size_t kMaxBatch = 256;  // documents of one kind in a report

struct EnrolRequest {
  std::string code;
  Json link_key;  // envelope, unjudged
};

struct ReportRequest {
  Json status;  // null: none given
  Report report;
};

// Reason of each: "json" or "member". What is signed inside stays unjudged.
Result<Json> read_poll(std::string_view body);  // the status, an object or null
Result<ReportRequest> read_report(std::string_view body);
Result<EnrolRequest> read_enrol(std::string_view body);

std::string format_trust(const Trust& trust);
// `events_acked` where the work does not know it.
std::string format_poll_answer(const Work& work, const std::vector<std::string>& offers, std::uint64_t events_acked);

}  // namespace tillsyn::hubs
