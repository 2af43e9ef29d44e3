#include "firmware/ipc/messages.h"

#include <algorithm>

namespace tillsyn::ipc {
namespace {

bool fits(const Format& format, std::size_t bytes) { return bytes >= format.min_bytes && bytes <= format.max_bytes; }

std::string sizes(const Format& format, std::size_t bytes) {
  return std::string(format.name) + " of " + std::to_string(bytes) + " bytes, not " + std::to_string(format.min_bytes) +
         " to " + std::to_string(format.max_bytes);
}

}  // namespace

const Format* find_format(MessageType type) {
  const auto row = std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& f) { return f.type == type; });
  return row == kFormats.end() ? nullptr : &*row;
}

Result<Message> decode(ByteView packet, Side sender) {
  if (packet.empty()) return malformed("ipc", "empty message");
  const auto type = static_cast<MessageType>(packet[0]);
  const ByteView body = packet.subspan(1);
  const Format* format = find_format(type);
  if (!format) return malformed("ipc", "unknown message type " + std::to_string(packet[0]));
  if (format->sender != sender) return malformed("ipc", std::string(format->name) + " from the wrong side");
  if (!fits(*format, body.size())) return malformed("ipc", sizes(*format, body.size()));
  return Message{type, body};
}

Result<void> check_outgoing(MessageType type, std::size_t body_bytes, Side sender) {
  const Format* format = find_format(type);
  if (!format || format->sender != sender) return Error{Code::kInternal, "ipc", "not ours to say"};
  if (!fits(*format, body_bytes)) return Error{Code::kInternal, "ipc", sizes(*format, body_bytes)};
  return {};
}

StreamFrame split_frame(const Message& message) {
  return {message.body.first(kStreamIdBytes), message.body.subspan(kStreamIdBytes)};
}

Result<GateHello> read_gate_hello(const Message& message) {
  GateHello hello{message.body[0], text_of(message.body.subspan(1))};
  if (const auto hub = from_base64url_exact<32>(hello.hub); !hub) return malformed("ipc", "hub id is no thumbprint");
  return hello;
}

}  // namespace tillsyn::ipc
