#include "firmware/link/control.h"

#include <sys/socket.h>

#include <cerrno>

#include "common/base/json.h"
#include "firmware/ipc/address.h"

namespace tillsyn::link {

Result<ControlRequest> parse_control(std::string_view text) {
  const auto json = parse_json(text, {kMaxControlBytes, 4});
  if (!json) return malformed("control", json.error().message);
  JsonReader in(*json, "request");
  ControlRequest request;
  const std::string what = in.text("do", 16);
  if (what == "enrol") {
    request = {ControlRequest::Kind::kEnrol, in.text("code", 256), in.optional_text("relay", 300)};
  } else if (what == "check") {
    request = {ControlRequest::Kind::kCheck, {}, {}, in.boolean("light")};
  } else if (what != "status") {
    in.fail("do", "is not known");
  }
  if (const auto read = in.finish(); !read) return malformed("control", read.error().message);
  return request;
}

std::string control_failure(const Error& error) {
  return Json{{"ok", false}, {"reason", error.reason}, {"message", error.message}}.dump();
}

Result<Control> Control::open(const std::string& path, Handler handler) {
  TILLSYN_TRY(listener, ipc::listen_at(path, 0660));
  return Control(std::move(listener), std::move(handler));
}

void Control::watch(std::vector<pollfd>& fds) const {
  fds.push_back({listener_.get(), POLLIN, 0});
  for (const auto& [id, peer] : peers_) fds.push_back({peer.get(), POLLIN, 0});
}

void Control::tick() {
  take_peers();
  for (auto it = peers_.begin(); it != peers_.end();) {
    const auto [id, peer] = std::pair(it->first, it->second.get());
    ++it;
    if (!take_request(id, peer)) peers_.erase(id);
  }
}

void Control::take_peers() {
  for (auto peer = ipc::accept_from(listener_.get()); peer && *peer; peer = ipc::accept_from(listener_.get())) {
    if (peers_.size() < kMaxPeers) peers_.emplace(++last_, std::move(**peer));
  }
}

bool Control::take_request(std::uint64_t id, int peer) {
  std::string text(kMaxControlBytes, '\0');
  const ssize_t got = recv(peer, text.data(), text.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  text.resize(static_cast<std::size_t>(got));
  const auto request = parse_control(text);
  if (!request) {
    answer(id, control_failure(request.error()));
  } else {
    handler_(*request, [this, id](const std::string& reply) { answer(id, reply); });
  }
  return true;
}

void Control::answer(std::uint64_t id, const std::string& text) {
  const auto peer = peers_.find(id);
  if (peer == peers_.end()) return;
  // A peer that does not take its one answer has nobody left who wants it.
  static_cast<void>(send(peer->second.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

}  // namespace tillsyn::link
