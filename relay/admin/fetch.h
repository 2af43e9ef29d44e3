#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"

namespace tillsyn::admin {

struct HttpsRequest {
  std::string method = "GET";
  std::string url;                // https only
  std::optional<std::string> ca;  // PEM: only servers that these vouch for; none: the system's
  std::optional<std::string> bearer;
  std::optional<std::string> json;  // the body
  std::optional<std::string> idempotency_key = std::nullopt;
  std::size_t max_bytes = 1024 * 1024;
};

struct HttpsResponse {
  long status = 0;
  std::string body;
};

// Asks other servers, over TLS 1.2 or newer, certificate and name verified, redirects not followed, at most 30 s a
// question. Keeps connections between questions. Threads: thread-bound.
class HttpsClient {
 public:
  HttpsClient();
  ~HttpsClient();
  HttpsClient(HttpsClient&&) noexcept;
  HttpsClient& operator=(HttpsClient&&) noexcept;

  // Any status is success. kUnavailable "fetch" when there is no answer, kRefused "fetch" when the server is not who it
  // should be, or says too much.
  Result<HttpsResponse> ask(const HttpsRequest& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tillsyn::admin
