#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

// What gate and link may say to each other: one SOCK_SEQPACKET message is u8 type ‖ body. Everything here is pure and
// reentrant. The page for readers is firmware/ipc/README.md.
namespace tillsyn::ipc {

inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::size_t kStreamIdBytes = 16;
inline constexpr std::size_t kLifeBytes = 64;
inline constexpr std::size_t kLinkKeyBytes = 65;  // uncompressed P-256 point
inline constexpr std::size_t kHubIdBytes = 43;    // RFC 7638 thumbprint, base64url
inline constexpr std::size_t kMaxFrameBytes =
    4 + 128 * 1024;  // PROTOCOL "A view's key and frames", length field included

// Never renumbered. What gate says has bit 5 set, so a message cannot be mistaken for one of the other direction.
enum class MessageType : std::uint8_t {
  // link says
  kHello = 1,         // u8 protocol version; the first message of a connection
  kRootList = 2,      // trust envelope, JSON text as the relay sent it
  kBundle = 3,        // the same
  kOrder = 4,         // standing order or outcome, JSON text
  kOffer = 5,         // a view with its ledger proofs, JSON text
  kPollWanted = 6,    // empty: asks for kPollStatus with a fresh challenge
  kLife = 7,          // a viewer's sign of life, as PROTOCOL has it
  kStreamLost = 8,    // stream id: the upload has ended, whatever the reason
  kEventsAcked = 9,   // u64 big-endian: events up to this number are durable at the relay
  kLinkKey = 10,      // the link key's point; asks for kLinkKeyEnvelope
  kCheckWanted = 11,  // u8 1: try the light as well; asks for kCheck
  // gate says
  kGateHello = 32,      // u8 protocol version ‖ hub id text; the answer to kHello
  kPollStatus = 33,     // status with a fresh challenge, JSON text
  kStatusChanged = 34,  // status, to be reported at once
  kAnswer = 35,         // device envelope, JSON text; so are the next four
  kReceipt = 36,
  kLinkKeyEnvelope = 37,
  kCountersign = 38,
  kEvent = 39,
  kFrame = 40,      // stream id ‖ frame; the first one of an id begins the upload
  kRelays = 41,     // [{"host":"name:port","ca":PEM|null}], from the root list in force; again when it changes
  kStreamEnd = 42,  // stream id: gate has ended it; nothing of it follows
  kCheck = 43,      // how gate finds the hub, for who stands before it; JSON text, never for the relay
};

enum class Side : std::uint8_t { kLink, kGate };

// One row a message type: who may say it, and how long its body may be.
struct Format {
  MessageType type;
  Side sender;
  std::size_t min_bytes;
  std::size_t max_bytes;
  const char* name;
};

inline constexpr std::array<Format, 23> kFormats{{
    {MessageType::kHello, Side::kLink, 1, 1, "hello"},
    {MessageType::kRootList, Side::kLink, 2, 256 * 1024, "root_list"},
    {MessageType::kBundle, Side::kLink, 2, 256 * 1024, "bundle"},
    {MessageType::kOrder, Side::kLink, 2, 64 * 1024, "order"},
    {MessageType::kOffer, Side::kLink, 2, 128 * 1024, "offer"},
    {MessageType::kPollWanted, Side::kLink, 0, 0, "poll_wanted"},
    {MessageType::kLife, Side::kLink, kLifeBytes, kLifeBytes, "life"},
    {MessageType::kStreamLost, Side::kLink, kStreamIdBytes, kStreamIdBytes, "stream_lost"},
    {MessageType::kEventsAcked, Side::kLink, 8, 8, "events_acked"},
    {MessageType::kLinkKey, Side::kLink, kLinkKeyBytes, kLinkKeyBytes, "link_key"},
    {MessageType::kCheckWanted, Side::kLink, 1, 1, "check_wanted"},
    {MessageType::kGateHello, Side::kGate, 1 + kHubIdBytes, 1 + kHubIdBytes, "gate_hello"},
    {MessageType::kPollStatus, Side::kGate, 2, 64 * 1024, "poll_status"},
    {MessageType::kStatusChanged, Side::kGate, 2, 64 * 1024, "status_changed"},
    {MessageType::kAnswer, Side::kGate, 2, 64 * 1024, "answer"},
    {MessageType::kReceipt, Side::kGate, 2, 64 * 1024, "receipt"},
    {MessageType::kLinkKeyEnvelope, Side::kGate, 2, 4 * 1024, "link_key_envelope"},
    {MessageType::kCountersign, Side::kGate, 2, 4 * 1024, "countersign"},
    {MessageType::kEvent, Side::kGate, 2, 16 * 1024, "event"},
    {MessageType::kFrame, Side::kGate, kStreamIdBytes + 4, kStreamIdBytes + kMaxFrameBytes, "frame"},
    {MessageType::kRelays, Side::kGate, 2, 128 * 1024, "relays"},
    {MessageType::kStreamEnd, Side::kGate, kStreamIdBytes, kStreamIdBytes, "stream_end"},
    {MessageType::kCheck, Side::kGate, 2, 64 * 1024, "check"},
}};

inline constexpr std::size_t kMaxMessageBytes = 1 + 256 * 1024;

// The row of `type`, or null if there is none.
const Format* find_format(MessageType type);

// A message that has been checked against its row. Borrows the bytes it was decoded from.
struct Message {
  MessageType type;
  ByteView body;
};

// Reads one message said by `sender`. kMalformed "ipc" for an empty packet, an unknown type, a type of the other
// direction, and a length outside the row's limits. Says nothing about what is inside the body.
Result<Message> decode(ByteView packet, Side sender);

// Whether `sender` may say this; kInternal "ipc" if not, as it is a mistake of our own.
Result<void> check_outgoing(MessageType type, std::size_t body_bytes, Side sender);

// The parts of a kFrame body. Precondition: a message of that type from `decode`.
struct StreamFrame {
  ByteView stream;  // kStreamIdBytes
  ByteView frame;
};
StreamFrame split_frame(const Message& message);

// The parts of a kGateHello body. kMalformed "ipc" if the hub id is not canonical base64url of 32 bytes.
struct GateHello {
  std::uint8_t version = 0;
  std::string hub;
};
Result<GateHello> read_gate_hello(const Message& message);

}  // namespace tillsyn::ipc
