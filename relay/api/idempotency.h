#pragma once

#include "relay/api/caller.h"

namespace tillsyn::api {

// How long a key is good; kept on disk, so a relay that was killed meanwhile answers alike.
inline constexpr std::chrono::hours kKeyLife{24};

// What `handler` answers, done once for each Idempotency-Key of a person on a path: whoever asks again with the same
// key and the same request gets the first answer again, byte for byte, and nothing is done. The answer is kept, sealed
// under the provider's key, in the same transaction as what was written. What is refused is not kept: it may be tried
// again.
//
// 422 "key_reused" when the key stood on another request; 400 "malformed" for one that is not 1 to 64 of [A-Za-z0-9_-].
// A request without a key is handed on, and so is a GET, which changes nothing: what it shows is not kept.
// Threads: thread-bound (the store thread).
http::ApiResponse once(const Caller& caller, const http::ApiRequest& request, const CallerHandler& handler);

}  // namespace tillsyn::api
