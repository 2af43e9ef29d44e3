#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "relay/http/tls_stream.h"
#include "relay/http/workers.h"
#include "relay/hubs/desk.h"
#include "relay/hubs/known_keys.h"
#include "relay/hubs/presence.h"
#include "relay/hubs/quiet.h"

namespace tillsyn::hubs {

namespace asio = boost::asio;

// A view on its way to a hub.
struct PendingOffer {
  std::string hash;                                             // of its order
  std::function<Result<std::string>(const Json& status)> make;  // the offer's text; called on the store thread, once
  std::function<void(const Error&)> failed;                     // it could not be made; called on the loop
};

// Where the hubs are, what they said last, and what waits for their next poll.
// Threads: bound to the loop.
class Hubs {
 public:
  using Time = Presence::Time;
  struct Known {
    Hub hub;
    bool online = false;
    std::string status = "null";  // the gate's last, JSON text; null while unknown or away
  };
  struct Listener {
    virtual ~Listener() = default;
    virtual void hub_changed(const Known& hub) = 0;
    virtual void answered(const Hub& hub, const Json& envelope) = 0;  // unjudged, as the hub sent it
  };

  // `desk` is used on `store` alone. `now` is the monotonic clock.
  Hubs(http::Executor loop, http::Workers& store, Desk& desk, std::function<Time()> now);

  void listen(Listener* listener) { listener_ = listener; }

  // Whose link key this is, as Desk::find. On the store thread.
  Result<Hub> identify(ByteView link_key) { return desk_.find(link_key); }

  // A hub that is enrolled, from the store or just now. Whose any link key is must be asked anew.
  void expect(const Hub& hub);
  // The hub has spoken.
  void heard(const Hub& hub, const Json& status);
  // Looks for hubs that have gone silent; the loop calls it every second.
  void tick();

  std::vector<Known> of_provider(const std::string& provider) const;
  struct Count {
    std::size_t online = 0;
    std::size_t lost = 0;  // or not heard of yet
  };
  Count count_of(const std::string& provider) const;
  bool is_online(const std::string& hub) const { return presence_.is_online(hub); }
  // Every hub there is, for the reckoning of losses.
  std::vector<Presence::Silence> silences() const { return presence_.silences(now_()); }

  // Gives the view to the hub's poll, at once if one is held. Withdrawn, it is not handed over any more.
  void offer(const std::string& hub, PendingOffer offer);
  void withdraw(const std::string& hub, const std::string& hash);

  // Something may have changed for these hubs: held polls look again whether there is something to say.
  using Some = std::optional<std::vector<std::string>>;  // none: every hub of the provider's
  void orders_changed(const std::string& provider, const Some& hubs);
  void trust_changed();

  // For the routes.
  asio::awaitable<Result<Hub>> whose(const KnownKeys::Key& link_key, const http::Share& share);
  Json status_of(const Hub& hub) const;
  Quiet& quiet_of(const Hub& hub) { return entry(hub).quiet; }
  asio::awaitable<std::vector<std::string>> take_offers(const Hub& hub, const Json& status);
  void answered(const Hub& hub, const std::vector<Json>& envelopes);

  // A poll that is held. There is one a hub: a newer one ends the older.
  class Hold {
   public:
    Hold(Hubs& owner, const Hub& hub);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    enum class Ended { kWoken, kDeadline, kReplaced, kPeerGone };
    // Waits until something may have changed since the last wait ended.
    asio::awaitable<Ended> wait(Time deadline, http::TlsStream& stream);

   private:
    friend class Hubs;
    struct Peer;
    void wake();
    std::shared_ptr<Peer> listen_to(http::TlsStream& stream);

    Hubs& owner_;
    std::string hub_;
    http::Timer timer_;
    bool woken_ = false;
    bool replaced_ = false;
  };

  // Whether the same was said to this hub so lately that it cannot have acted on it yet; remembers it as said
  // otherwise.
  bool is_repetition(const Hub& hub, const std::string& said, std::chrono::milliseconds within);

  Time now() const { return now_(); }

 private:
  struct Entry {
    Known known;
    Quiet quiet;
    std::vector<PendingOffer> offers;
    Hold* held = nullptr;
    std::size_t said = 0;  // hash of what was said last
    std::optional<Time> said_at;
  };

  Entry& entry(const Hub& hub);
  void changed(Entry& entry);
  static void look_again(Entry& entry);

  http::Executor loop_;
  http::Workers& store_;
  Desk& desk_;
  std::function<Time()> now_;
  Listener* listener_ = nullptr;
  Presence presence_;
  KnownKeys keys_;
  std::map<std::string, Entry> entries_;
};

}  // namespace tillsyn::hubs
