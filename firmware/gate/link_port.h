#pragma once

#include <deque>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "firmware/gate/order_desk.h"
#include "firmware/gate/store.h"
#include "firmware/ipc/connection.h"

namespace tillsyn::gate {

// The gate's side of the socket to link: one peer at a time, the newest. What is said to it waits in a bounded queue
// while the socket is full; a peer that lets it fill is dropped, and told everything anew when it comes back. Events
// are not queued: they are read from the log, from the first that is not acknowledged on. Threads: thread-bound.
class LinkPort {
 public:
  static constexpr std::size_t kMaxQueued = 512;  // documents
  static constexpr std::size_t kEventsAtATime = 32;

  explicit LinkPort(ipc::Listener listener) : listener_(std::move(listener)) {}

  int listener_fd() const { return listener_.fd(); }
  int fd() const { return connection_ ? connection_->fd() : -1; }
  ipc::Connection* connection() { return connection_ ? &*connection_ : nullptr; }

  // Which peer this is, counted from 1; 0 when there is none.
  std::uint64_t peer() const { return connection_ ? peers_ : 0; }

  // Takes a peer that waits; true if there is a new one, the old one is then gone.
  bool accept();

  // The next thing the peer says, once it has said hello; nullopt if there is none, or no peer. A peer that breaks the
  // rules, or is gone, is dropped.
  std::optional<ipc::Message> receive();

  // Counts something that made no sense. A peer that says too much of it is dropped.
  void count_nonsense();

  // After hello: begins to send events from here on.
  void begin_events(std::int64_t acknowledged) { next_event_ = acknowledged + 1; }

  // Queues a document; nothing happens without a peer that has said hello.
  void say(Document document);

  // Sends documents, and events if there is a store, as far as the peer takes them; true if something is left that
  // waits for the peer. Fails with the store's errors only.
  Result<bool> pump(Store* store);

  // Whether nothing waits to be said before the next picture.
  bool is_quiet() const { return queue_.empty(); }

  void drop();

 private:
  Result<void> fetch_events(Store& store);
  std::optional<ipc::Sent> send(const Document& document);
  bool take_hello(const ipc::Message& message);

  ipc::Listener listener_;
  std::optional<ipc::Connection> connection_;
  std::uint64_t peers_ = 0;
  bool greeted_ = false;
  std::deque<Document> queue_;
  std::optional<std::int64_t> next_event_;
  ipc::TokenBucket nonsense_{kNonsenseRate};

  static constexpr ipc::Rate kNonsenseRate{1, 50};
};

}  // namespace tillsyn::gate
