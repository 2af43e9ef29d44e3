#include "firmware/link/http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

namespace tillsyn::link {
namespace {

constexpr long kConnectTimeoutMs = 10000;
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// Frames wait in our queue, where they can be dropped, and not in the kernel's, where they only grow old.
int tune_socket(void*, curl_socket_t socket, curlsocktype) {
  const int unsent_bytes = 16 * 1024;
  const int silence_ms = 15000;
  setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof unsent_bytes);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
  return CURL_SOCKOPT_OK;
}

void set_blob(CURL* handle, CURLoption option, const std::string& pem) {
  curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_COPY};
  curl_easy_setopt(handle, option, &blob);
}

void set_tls(CURL* handle, const Relay& relay, const LinkKey& identity, TlsCheck tls) {
  const long check = tls == TlsCheck::kFull ? 1 : 0;
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_SSL_CIPHER_LIST, kTls12Suites);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, check);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2 * check);
  if (relay.ca) set_blob(handle, CURLOPT_CAINFO_BLOB, *relay.ca);
  if (tls != TlsCheck::kFull) return;
  curl_easy_setopt(handle, CURLOPT_SSLCERTTYPE, "PEM");
  set_blob(handle, CURLOPT_SSLCERT_BLOB, identity.certificate_pem());
  set_blob(handle, CURLOPT_SSLKEY_BLOB, identity.key_pem());
}

bool is_tls_failure(CURLcode result) {
  return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CONNECT_ERROR ||
         result == CURLE_SSL_CACERT_BADFILE || result == CURLE_SSL_CERTPROBLEM || result == CURLE_SSL_ISSUER_ERROR;
}

Error failure_of(CURLcode result) {
  const std::string message = curl_easy_strerror(result);
  if (is_tls_failure(result)) return {Code::kUnavailable, "relay_tls", message};
  if (result == CURLE_OPERATION_TIMEDOUT) return {Code::kUnavailable, "relay_timeout", message};
  if (result == CURLE_WRITE_ERROR || result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL) {
    return {Code::kMalformed, "relay_reply", message};
  }
  return {Code::kUnavailable, "relay_unreachable", message};
}

}  // namespace

Transfer::~Transfer() {
  if (multi_) curl_multi_remove_handle(multi_, handle_.get());
}

// A request whose answer is taken whole.
class Http::Exchange : public Transfer {
 public:
  Exchange(const Request& request, Done done) : body_(request.body), done_(std::move(done)) {
    curl_easy_setopt(handle(), CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(handle(), CURLOPT_WRITEFUNCTION, &Exchange::on_data);
    curl_easy_setopt(handle(), CURLOPT_WRITEDATA, this);
    if (body_.empty()) return;
    headers_.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    curl_slist_append(headers_.get(), "Expect:");
    curl_easy_setopt(handle(), CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(handle(), CURLOPT_POSTFIELDS, body_.data());
    curl_easy_setopt(handle(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  }

  void finished(Result<long> status) override {
    const Done done = std::move(done_);  // it may destroy this object
    if (!status) return done(status.error());
    done(Reply{*status, std::move(reply_)});
  }

 private:
  static std::size_t on_data(char* data, std::size_t, std::size_t size, void* self) {
    std::string& reply = static_cast<Exchange*>(self)->reply_;
    if (reply.size() + size > kMaxReplyBytes) return 0;
    reply.append(data, size);
    return size;
  }

  std::string body_;
  std::string reply_;
  HeaderList headers_;
  Done done_;
};

Http::Http(const LinkKey& identity) : identity_(identity), multi_(curl_multi_init()) {
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 8L);
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

Http::~Http() = default;

void Http::prepare(Transfer& transfer, const Relay& relay, const std::string& path, TlsCheck tls) const {
  CURL* handle = transfer.handle();
  curl_easy_setopt(handle, CURLOPT_URL, ("https://" + relay.host + path).c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "tillsyn-link");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, &tune_socket);
  curl_easy_setopt(handle, CURLOPT_PRIVATE, &transfer);
  set_tls(handle, relay, identity_, tls);
}

void Http::start(Transfer& transfer) {
  if (curl_multi_add_handle(multi_.get(), transfer.handle()) == CURLM_OK) transfer.multi_ = multi_.get();
}

Http::Ticket Http::send(const Request& request, Done done) {
  auto exchange =
      std::make_unique<Exchange>(request, [this, ticket = last_ + 1, done = std::move(done)](Result<Reply> reply) {
        const auto gone = exchanges_.extract(ticket);  // lives until `done` has returned
        done(std::move(reply));
      });
  prepare(*exchange, request.relay, request.path, request.tls);
  start(*exchange);
  exchanges_.emplace(++last_, std::move(exchange));
  return last_;
}

void Http::cancel(Ticket ticket) { exchanges_.erase(ticket); }

void Http::turn(std::span<pollfd> fds, Milliseconds timeout) {
  int running = 0;
  curl_multi_perform(multi_.get(), &running);
  collect();
  std::vector<curl_waitfd> waits;
  for (const pollfd& fd : fds) waits.push_back({fd.fd, fd.events, 0});  // CURL_WAIT_POLL* are poll(2)'s own numbers
  curl_multi_poll(multi_.get(), waits.data(), static_cast<unsigned>(waits.size()), static_cast<int>(timeout.count()),
                  nullptr);
  for (std::size_t i = 0; i < fds.size(); ++i) fds[i].revents = waits[i].revents;
  curl_multi_perform(multi_.get(), &running);
  collect();
}

void Http::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    Transfer* transfer = nullptr;
    long status = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi_.get(), message->easy_handle);
    transfer->multi_ = nullptr;
    transfer->finished(result == CURLE_OK ? Result<long>(status) : Result<long>(failure_of(result)));
  }
}

}  // namespace tillsyn::link
