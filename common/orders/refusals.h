#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace tillsyn::orders {

// What became of an order or a question. `reason` is a word of PROTOCOL.md ("Refusals"), empty when accepted;
// `sentence` tells the reader what to do, and holds no personal data.
struct Verdict {
  enum class Kind { kAccepted, kRefused, kWaiting };

  Kind kind = Kind::kRefused;
  std::string reason;
  std::string sentence;

  bool accepted() const { return kind == Kind::kAccepted; }
};

const char* verdict_name(Verdict::Kind kind);  // "accepted", "refused", "waiting"

// The sentence for every word of PROTOCOL.md, one table for hub, relay and command line; nullptr for another word.
const char* sentence_for(std::string_view reason);

// An error with that word and its sentence. `detail`, for the log, goes behind the sentence.
Error refuse(const char* reason, const std::string& detail = {});
Error wait_for(const char* reason, const std::string& detail = {});

// Success is accepted, kWaiting is waiting, every other failure refused; words that are not PROTOCOL's (of parsers)
// become "malformed".
Verdict verdict_of(const Result<void>& result);
Verdict verdict_of(const Error& error);

}  // namespace tillsyn::orders
