#include "relay/admin/fetch.h"

#include <curl/curl.h>

#include <array>

namespace tillsyn::admin {
namespace {

constexpr long kConnectSeconds = 10;
constexpr long kAnswerSeconds = 30;

struct Sink {
  std::string body;
  std::size_t max_bytes = 0;
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* user) {
  auto& sink = *static_cast<Sink*>(user);
  if (sink.body.size() + size * count > sink.max_bytes) return 0;
  sink.body.append(data, size * count);
  return size * count;
}

class Headers {
 public:
  ~Headers() { curl_slist_free_all(list_); }
  void add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

void set_tls(CURL* curl, const HttpsRequest& request) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!request.ca) return;
  curl_blob pem{const_cast<char*>(request.ca->data()), request.ca->size(), CURL_BLOB_COPY};
  curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &pem);
  // The folder of the system's certificates would count beside it.
  curl_easy_setopt(curl, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

void set_request(CURL* curl, const HttpsRequest& request, Headers& headers) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, kAnswerSeconds);
  if (request.json) {
    headers.add("Content-Type: application/json");
    headers.add("Expect:");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.json->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.json->data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.bearer) headers.add("Authorization: Bearer " + *request.bearer);
  if (request.idempotency_key) headers.add("Idempotency-Key: " + *request.idempotency_key);
  headers.add("Accept: application/json");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
}

Error fault(CURLcode code, const HttpsRequest& request, const char* detail) {
  const std::string why = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
    return refused("fetch", request.url + " does not show a certificate that is trusted here (" + why +
                                "): nothing was asked of it; check the address and the ca in the root list");
  if (code == CURLE_WRITE_ERROR) return refused("fetch", request.url + " answers with more than is ever needed");
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
    return refused("fetch", request.url + " is no https address");
  return {Code::kUnavailable, "fetch", request.url + " does not answer (" + why + "): try again when it does"};
}

}  // namespace

struct HttpsClient::State {
  CURL* curl = curl_easy_init();
  ~State() { curl_easy_cleanup(curl); }
};

HttpsClient::HttpsClient() : state_(std::make_unique<State>()) {}
HttpsClient::~HttpsClient() = default;
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;
HttpsClient& HttpsClient::operator=(HttpsClient&&) noexcept = default;

Result<HttpsResponse> HttpsClient::ask(const HttpsRequest& request) {
  CURL* curl = state_->curl;
  if (curl == nullptr) return Error{Code::kInternal, "fetch", "libcurl does not start"};
  curl_easy_reset(curl);
  Sink sink{{}, request.max_bytes};
  Headers headers;
  std::array<char, CURL_ERROR_SIZE> detail{};
  set_tls(curl, request);
  set_request(curl, request, headers);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) return fault(code, request, detail.data());
  HttpsResponse out{0, std::move(sink.body)};
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out.status);
  return out;
}

}  // namespace tillsyn::admin
