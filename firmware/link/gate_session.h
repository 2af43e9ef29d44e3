#pragma once

#include <deque>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "firmware/ipc/connection.h"
#include "firmware/link/time.h"

namespace tillsyn::link {

// What link does when gate is there, says something, or is gone.
class GateListener {
 public:
  virtual ~GateListener() = default;
  virtual void gate_is_up() = 0;                            // hello has been answered
  virtual void gate_is_down() = 0;                          // after it was up
  virtual void gate_said(const ipc::Message& message) = 0;  // anything but hello; the body is good for the call
};

// The way to gate: found again whenever it is lost. Threads: thread-bound.
class GateSession {
 public:
  static constexpr Milliseconds kRetry{200};
  static constexpr std::size_t kMaxWaitingBytes = 16 * 1024 * 1024;

  GateSession(std::string path, GateListener& listener) : path_(std::move(path)), listener_(listener) {}

  bool is_up() const { return !hub_.empty(); }
  const std::string& hub() const { return hub_; }  // gate's name for this hub; empty when it is not up

  // To poll: -1 while there is no connection.
  int fd() const { return connection_ ? connection_->fd() : -1; }
  bool wants_to_write() const { return !waiting_.empty(); }

  // Connects, sends what waits and takes in what gate has said. To call at every turn of the loop.
  void tick(TimePoint now);

  // Says it, now or as soon as gate takes it. Dropped while gate is down; a gate that lets kMaxWaitingBytes pile up is
  // given up and found again.
  void say(ipc::MessageType type, ByteView body);

  // Begins anew, so that gate says again what is not acknowledged.
  void restart() { lose("asked to begin anew"); }

 private:
  struct Waiting {
    ipc::MessageType type;
    Bytes body;
  };

  void connect(TimePoint now);
  void flush();
  void receive();
  void greet(const ipc::Message& message);
  void lose(const std::string& why);

  std::string path_;
  GateListener& listener_;
  std::optional<ipc::Connection> connection_;
  std::string hub_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  TimePoint next_try_{};
};

}  // namespace tillsyn::link
