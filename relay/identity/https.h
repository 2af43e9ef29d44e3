#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace tillsyn::identity {

inline constexpr std::size_t kMaxHttpsAnswer = 64 * 1024;

struct HttpsAnswer {
  long status = 0;
  std::string body;
};

// One HTTPS request through libcurl: TLS 1.2 or later, no redirects, no proxy, at most 15 s and kMaxHttpsAnswer bytes.
// The server's certificate is verified against `ca` (PEM) alone, or against the system's if there is none. `form`: sent
// by POST as application/x-www-form-urlencoded; without it a GET. kUnavailable "unreachable", also for a certificate
// that fails: nothing is known of such a server. Threads: thread-safe.
Result<HttpsAnswer> https(const std::string& url, const std::optional<std::string>& ca,
                          const std::optional<std::string>& form);

// The same by POST, with `body` as application/json and these further headers ("webhook-id: …").
Result<HttpsAnswer> https_post(const std::string& url, const std::optional<std::string>& ca,
                               const std::vector<std::string>& headers, const std::string& body);

// `text` percent-encoded for a form (RFC 3986 unreserved characters stay).
std::string form_encode(std::string_view text);

}  // namespace tillsyn::identity
