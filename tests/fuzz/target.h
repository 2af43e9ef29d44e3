#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "common/base/bytes.h"

namespace tillsyn::fuzz {

// A decoder of bytes from outside, with what must hold whatever the bytes are: it never crashes, and what it accepts is
// written back in its one spelling, where the format has one.
struct Target {
  const char* name;  // of its folder under corpus/
  // Whether the bytes were accepted. Throws Broken if the decoder breaks its promise.
  bool (*run)(ByteView bytes);
};

struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void must(bool holds, const char* promise) {
  if (!holds) throw Broken(promise);
}

std::span<const Target> targets();

// The targets, by file.
bool json(ByteView bytes);
bool base64url(ByteView bytes);
bool base64(ByteView bytes);
bool instant(ByteView bytes);
bool jws(ByteView bytes);
bool jwk(ByteView bytes);
bool frame(ByteView bytes);
bool sframe(ByteView bytes);
bool schedule(ByteView bytes);
bool note(ByteView bytes);
bool checkpoint(ByteView bytes);
bool vkey(ByteView bytes);
bool entry(ByteView bytes);
bool order(ByteView bytes);
bool payload(ByteView bytes);
bool root_list(ByteView bytes);
bool bundle(ByteView bytes);
bool trust_envelope(ByteView bytes);
bool fleet_root(ByteView bytes);
bool device_document(ByteView bytes);
bool ipc(ByteView bytes);
bool chrony(ByteView bytes);
bool chunked(ByteView bytes);
bool request_head(ByteView bytes);
bool offer(ByteView bytes);
bool life(ByteView bytes);
bool hub_message(ByteView bytes);
bool live_message(ByteView bytes);

}  // namespace tillsyn::fuzz
