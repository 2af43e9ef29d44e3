#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "relay/http/router.h"
#include "relay/http/workers.h"
#include "relay/hubs/hubs.h"
#include "relay/sessions/desk.h"

namespace tillsyn::sessions {

namespace asio = boost::asio;

class Live;
class Upload;

struct Times {
  std::chrono::milliseconds authenticate = std::chrono::seconds(10);  // for the first message
  std::chrono::milliseconds answer = std::chrono::seconds(10);        // for the hub's answer, and then for its stream
  std::chrono::milliseconds upload_idle = std::chrono::seconds(15);   // without a byte of a running stream
  std::chrono::milliseconds recheck = std::chrono::seconds(15);       // of a socket's session
  std::chrono::milliseconds linger = std::chrono::seconds(1);         // for the hub to hear that the viewer is gone
};

// One view, from its entry in the log until one of its sides goes. Owned by its Live.
struct View {
  EnteredView entered;
  std::weak_ptr<Live> viewer;
  std::string stream;        // once the hub's answer has named it
  Upload* upload = nullptr;  // while the hub sends
};

// Brings views to hubs, answers to viewers, and frames from the one to the other.
// Threads: bound to the loop. Must outlive the server.
class Sessions : public hubs::Hubs::Listener {
 public:
  struct Parts {
    http::Executor loop;
    http::Workers& store;
    hubs::Hubs& hubs;
    Desk& desk;
    Times times;
    // Whose staff have this token; empty: nobody's.
    std::function<std::string(const std::string& token)> provider_of_token = [](const std::string&) { return ""; };
  };
  explicit Sessions(Parts parts);
  ~Sessions() override;

  // GET /v1/live (WebSocket), GET /v1/hubs and POST /hub/v1/streams/{stream}.
  void add_to(http::Router& router);

  // The relay is about to restart: ends every view, told to both its sides, and closes every page with 1012 (RFC 6455
  // registry, "service restart"), so that it comes back.
  void restarting();
  std::size_t pages() const { return lives_.size(); }
  std::size_t views() const { return by_hash_.size(); }

  // Tells the provider's pages that orders have changed.
  void orders_changed(const std::string& provider);

  // hubs::Hubs::Listener
  void hub_changed(const hubs::Hubs::Known& hub) override;
  void answered(const hubs::Hub& hub, const Json& envelope) override;

  // For Live and Upload.
  const Parts& parts() const { return parts_; }
  void add(Live& live) { lives_.insert(&live); }
  void remove(Live& live) { lives_.erase(&live); }
  void add(const std::shared_ptr<View>& view) { by_hash_[view->entered.hash] = view; }
  void remove(const View& view);
  // Enters what the relay saw of the view, in its own time.
  void enter(const EnteredView& view, const char* what, const std::string& reason);

 private:
  asio::awaitable<std::optional<http::ApiResponse>> live(http::Exchange& exchange);
  asio::awaitable<http::ApiResponse> list_hubs(http::Exchange& exchange);
  asio::awaitable<std::optional<http::ApiResponse>> stream(http::Exchange& exchange);
  // The view whose answer named this stream. Answer and stream come on two connections: while an answer of this hub is
  // awaited, so is it here; nullptr if it does not come, or comes with another name.
  asio::awaitable<std::shared_ptr<View>> view_of(const std::string& hub, const std::string& stream);
  std::shared_ptr<View> find_view(const std::string& hub, const std::string& stream) const;
  bool awaits_answer(const std::string& hub) const;
  void wake_early_streams();

  Parts parts_;
  std::set<Live*> lives_;
  std::map<std::string, std::weak_ptr<View>> by_hash_;
  // With the hub's name: a hub that names another's stream reaches nothing of that one.
  std::map<std::pair<std::string, std::string>, std::weak_ptr<View>> by_stream_;
  std::set<http::Timer*> early_streams_;  // that wait for their answer
};

}  // namespace tillsyn::sessions
