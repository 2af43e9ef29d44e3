#include "relay/identity/https.h"

#include <curl/curl.h>

#include <functional>
#include <memory>

namespace tillsyn::identity {
namespace {

constexpr long kConnectSeconds = 5;
constexpr long kTotalSeconds = 15;

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

std::size_t collect(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + size * count > kMaxHttpsAnswer) return 0;  // ends the transfer
  body.append(data, size * count);
  return size * count;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void set_terms(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, kTotalSeconds);
}

void trust_only(CURL* easy, const std::string& ca) {
  curl_blob blob{const_cast<char*>(ca.data()), ca.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Headers header_list(const std::vector<std::string>& lines) {
  Headers out(nullptr, &curl_slist_free_all);
  for (const std::string& line : lines) {
    if (curl_slist* longer = curl_slist_append(out.get(), line.c_str())) {
      out.release();
      out.reset(longer);
    }
  }
  return out;
}

void post(CURL* easy, const std::string& body) {
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
}

Result<HttpsAnswer> perform(const std::string& url, const std::optional<std::string>& ca,
                            const std::function<void(CURL*)>& set_up) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (started != CURLE_OK || !easy) return Error{Code::kInternal, "curl", "libcurl does not start"};
  HttpsAnswer answer;
  set_terms(easy.get());
  if (ca) trust_only(easy.get(), *ca);
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer.body);
  set_up(easy.get());
  const CURLcode done = curl_easy_perform(easy.get());
  if (done != CURLE_OK) return Error{Code::kUnavailable, "unreachable", curl_easy_strerror(done)};
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace

Result<HttpsAnswer> https(const std::string& url, const std::optional<std::string>& ca,
                          const std::optional<std::string>& form) {
  return perform(url, ca, [&](CURL* easy) {
    if (form) post(easy, *form);
  });
}

Result<HttpsAnswer> https_post(const std::string& url, const std::optional<std::string>& ca,
                               const std::vector<std::string>& headers, const std::string& body) {
  std::vector<std::string> lines = headers;
  lines.insert(lines.end(), {"Content-Type: application/json", "Expect:"});
  const Headers list = header_list(lines);
  return perform(url, ca, [&](CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list.get());
    post(easy, body);
  });
}

std::string form_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  return out;
}

}  // namespace tillsyn::identity
