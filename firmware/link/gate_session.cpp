#include "firmware/link/gate_session.h"

#include <spdlog/spdlog.h>

namespace tillsyn::link {
namespace {

constexpr int kMessagesATurn = 64;  // so that a talkative gate does not starve the network

}  // namespace

void GateSession::tick(TimePoint now) {
  if (!connection_ && now >= next_try_) connect(now);
  if (connection_) flush();
  if (connection_) receive();
}

void GateSession::connect(TimePoint now) {
  next_try_ = now + kRetry;
  auto connection = ipc::Connection::connect(path_);
  if (!connection) return;
  connection_.emplace(std::move(connection).value());
  waiting_.push_back({ipc::MessageType::kHello, {ipc::kProtocolVersion}});
}

void GateSession::say(ipc::MessageType type, ByteView body) {
  if (!is_up()) return;
  if (waiting_bytes_ + body.size() > kMaxWaitingBytes) return lose("gate does not take what it is told");
  waiting_bytes_ += body.size();
  waiting_.push_back({type, Bytes(body.begin(), body.end())});
  flush();
}

void GateSession::flush() {
  while (!waiting_.empty()) {
    const auto sent = connection_->send(waiting_.front().type, waiting_.front().body);
    if (!sent) return lose(sent.error().message);
    if (*sent == ipc::Sent::kWouldBlock) return;
    waiting_bytes_ -= std::min(waiting_bytes_, waiting_.front().body.size());
    waiting_.pop_front();
  }
}

void GateSession::receive() {
  for (int i = 0; i < kMessagesATurn && connection_; ++i) {
    const auto message = connection_->receive();
    if (!message) return lose(message.error().message);
    if (!*message) return;
    if (is_up()) {
      listener_.gate_said(**message);
    } else {
      greet(**message);
    }
  }
}

void GateSession::greet(const ipc::Message& message) {
  if (message.type != ipc::MessageType::kGateHello) return lose("gate did not begin with hello");
  const auto hello = ipc::read_gate_hello(message);
  if (!hello) return lose(hello.error().message);
  if (hello->version != ipc::kProtocolVersion) return lose("gate speaks version " + std::to_string(hello->version));
  hub_ = hello->hub;
  spdlog::info("gate is there, hub {}", hub_);
  listener_.gate_is_up();
}

void GateSession::lose(const std::string& why) {
  const bool was_up = is_up();
  connection_.reset();
  hub_.clear();
  waiting_.clear();
  waiting_bytes_ = 0;
  if (!was_up) return;
  spdlog::warn("gate is gone: {}", why);
  listener_.gate_is_down();
}

}  // namespace tillsyn::link
