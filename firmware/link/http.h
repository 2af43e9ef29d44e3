#pragma once

#include <curl/curl.h>
#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"
#include "firmware/link/link_key.h"
#include "firmware/link/relays.h"
#include "firmware/link/time.h"

namespace tillsyn::link {

struct CloseEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct CloseMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct CloseList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using EasyHandle = std::unique_ptr<CURL, CloseEasy>;
using HeaderList = std::unique_ptr<curl_slist, CloseList>;

// One exchange with a relay that runs inside an Http. Ends itself when destroyed.
class Transfer {
 public:
  Transfer() : handle_(curl_easy_init()) {}
  virtual ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // curl has ended it. Success is any HTTP status. May destroy the object.
  virtual void finished(Result<long> status) = 0;

 protected:
  CURL* handle() const { return handle_.get(); }

 private:
  friend class Http;

  CURLM* multi_ = nullptr;  // while it runs
  EasyHandle handle_;
};

enum class TlsCheck {
  kFull,  // chain to the root list's CA (or the system's) and host name; our certificate is shown
  kNone,  // for GET /hub/v1/trust alone, whose answer proves itself: it must reach a hub whose clock is wrong. Ours is
          // not shown
};

struct Request {
  Relay relay;
  std::string path;
  std::string body;  // empty: GET, else POST of JSON
  Milliseconds timeout{20000};
  TlsCheck tls = TlsCheck::kFull;
};

struct Reply {
  long status = 0;
  std::string body;
};

// HTTP/1.1 over TLS 1.2 or 1.3 to relays, ECDHE with AEAD only, no redirects, no proxies, host name always checked.
// Errors: kUnavailable with reason "relay_tls" (the TLS check failed), "relay_timeout", "relay_unreachable"; kMalformed
// "relay_reply" for an answer that is too long or no HTTP. Threads: thread-bound; callbacks run inside `turn`.
class Http {
 public:
  static constexpr std::size_t kMaxReplyBytes = 4 * 1024 * 1024;

  using Done = std::function<void(Result<Reply>)>;
  using Ticket = std::uint64_t;  // 0: none

  explicit Http(const LinkKey& identity);
  ~Http();

  // `done` is called once, unless the request is cancelled.
  Ticket send(const Request& request, Done done);
  void cancel(Ticket ticket);

  // For transfers of their own making: sets what every exchange needs, then starts it.
  void prepare(Transfer& transfer, const Relay& relay, const std::string& path, TlsCheck tls) const;
  void start(Transfer& transfer);

  // Waits until the network, one of `fds` or the time says so, lets curl work, and calls back what has ended.
  void turn(std::span<pollfd> fds, Milliseconds timeout);

 private:
  class Exchange;

  void collect();

  LinkKey identity_;
  std::unique_ptr<CURLM, CloseMulti> multi_;
  std::map<Ticket, std::unique_ptr<Exchange>> exchanges_;
  Ticket last_ = 0;
};

}  // namespace tillsyn::link
