#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "firmware/ipc/messages.h"
#include "relay/http/chunked.h"
#include "relay/http/limits.h"
#include "relay/http/request_head.h"
#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {
namespace {

void check_parts(const ipc::Message& message) {
  if (message.type == ipc::MessageType::kFrame) {
    const auto parts = ipc::split_frame(message);
    must(parts.stream.size() + parts.frame.size() == message.body.size(), "a frame message has two parts");
  }
  if (message.type == ipc::MessageType::kGateHello) {
    const auto hello = ipc::read_gate_hello(message);
    must(!hello.ok() || hello->hub.size() == ipc::kHubIdBytes, "a hub id has one length");
  }
}

bool said_by(ByteView bytes, ipc::Side sender) {
  const auto message = ipc::decode(bytes, sender);
  if (!message) return false;
  must(ipc::check_outgoing(message->type, message->body.size(), sender).ok(), "what is accepted may be said");
  must(message->body.size() + 1 == bytes.size(), "the body is all but the type");
  check_parts(*message);
  return true;
}

struct Body {
  Bytes bytes;
  bool failed = false;
  bool finished = false;
};

Body unchunk(ByteView coded, std::size_t step) {
  Body out;
  http::ChunkedDecoder decoder;
  const auto keep = [&out](ByteView piece) { return append(out.bytes, piece), Result<void>(); };
  for (std::size_t at = 0; at < coded.size() && !out.failed; at += step) {
    out.failed = !decoder.feed(coded.subspan(at, std::min(step, coded.size() - at)), keep).ok();
  }
  out.finished = decoder.finished();
  return out;
}

}  // namespace

bool ipc(ByteView bytes) {
  const bool from_link = said_by(bytes, ipc::Side::kLink);
  const bool from_gate = said_by(bytes, ipc::Side::kGate);
  must(!(from_link && from_gate), "a message has one direction");
  return from_link || from_gate;
}

bool chunked(ByteView bytes) {
  const Body whole = unchunk(bytes, std::max<std::size_t>(bytes.size(), 1));
  const Body parts = unchunk(bytes, 1 + bytes.size() / 7);
  must(whole.bytes == parts.bytes && whole.failed == parts.failed && whole.finished == parts.finished,
       "a body does not depend on how it was cut");
  return whole.finished && !whole.failed;
}

bool request_head(ByteView bytes) {
  namespace beast = boost::beast;
  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(http::Limits{}.header_bytes));
  beast::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error || !parser.is_header_done()) return false;
  const auto head = http::read_head(parser.get());
  if (!head) return false;
  must(head->encoded_path.starts_with('/') && head->request.path.starts_with('/'), "a path begins with /");
  return true;
}

}  // namespace tillsyn::fuzz
