#include "firmware/gate/link_port.h"

#include <spdlog/spdlog.h>

namespace tillsyn::gate {

bool LinkPort::accept() {
  auto accepted = listener_.accept();
  if (!accepted) {
    spdlog::warn("link: {}", accepted.error().message);
    return false;
  }
  if (!*accepted) return false;
  drop();
  connection_.emplace(std::move(**accepted));
  ++peers_;
  nonsense_ = ipc::TokenBucket(kNonsenseRate);
  return true;
}

void LinkPort::drop() {
  connection_.reset();
  greeted_ = false;
  queue_.clear();
  next_event_.reset();
}

std::optional<ipc::Message> LinkPort::receive() {
  if (!connection_) return std::nullopt;
  const auto received = connection_->receive();
  if (!received) {
    spdlog::info("link: gone ({})", received.error().message);
    drop();
    return std::nullopt;
  }
  if (*received && !greeted_ && !take_hello(**received)) {
    spdlog::warn("link: no hello of our version");
    drop();
    return std::nullopt;
  }
  return *received;
}

bool LinkPort::take_hello(const ipc::Message& message) {
  greeted_ = message.type == ipc::MessageType::kHello && message.body[0] == ipc::kProtocolVersion;
  return greeted_;
}

void LinkPort::count_nonsense() {
  if (nonsense_.take(1, ipc::TokenBucket::TimePoint::clock::now())) return;
  spdlog::warn("link: too much that makes no sense");
  drop();
}

void LinkPort::say(Document document) {
  if (!greeted_) return;
  if (queue_.size() >= kMaxQueued) {
    spdlog::warn("link: does not listen");
    return drop();
  }
  queue_.push_back(std::move(document));
}

std::optional<ipc::Sent> LinkPort::send(const Document& document) {
  const auto sent = connection_->send(document.type, std::string_view(document.text));
  if (sent) return *sent;
  spdlog::info("link: gone ({})", sent.error().message);
  drop();
  return std::nullopt;
}

Result<void> LinkPort::fetch_events(Store& store) {
  if (!next_event_) return {};
  TILLSYN_TRY(events, store.events_after(*next_event_ - 1, kEventsAtATime));
  for (auto& event : events) queue_.push_back({ipc::MessageType::kEvent, std::move(event.envelope)});
  if (!events.empty()) next_event_ = events.back().n + 1;
  return {};
}

Result<bool> LinkPort::pump(Store* store) {
  while (connection_) {
    if (queue_.empty() && store != nullptr) TILLSYN_CHECK(fetch_events(*store));
    if (queue_.empty()) return false;
    const auto sent = send(queue_.front());
    if (sent == ipc::Sent::kWouldBlock) return true;
    if (sent) queue_.pop_front();
  }
  return false;
}

}  // namespace tillsyn::gate
