#include <array>

#include "tests/fuzz/target.h"

namespace tillsyn::fuzz {

std::span<const Target> targets() {
  static constexpr std::array kTargets = {
      Target{"json", json},
      Target{"base64url", base64url},
      Target{"base64", base64},
      Target{"instant", instant},
      Target{"jws", jws},
      Target{"jwk", jwk},
      Target{"frame", frame},
      Target{"sframe", sframe},
      Target{"schedule", schedule},
      Target{"note", note},
      Target{"checkpoint", checkpoint},
      Target{"vkey", vkey},
      Target{"entry", entry},
      Target{"order", order},
      Target{"payload", payload},
      Target{"root_list", root_list},
      Target{"bundle", bundle},
      Target{"trust_envelope", trust_envelope},
      Target{"fleet_root", fleet_root},
      Target{"device_document", device_document},
      Target{"ipc", ipc},
      Target{"chrony", chrony},
      Target{"chunked", chunked},
      Target{"request_head", request_head},
      Target{"offer", offer},
      Target{"life", life},
      Target{"hub_message", hub_message},
      Target{"live_message", live_message},
  };
  return kTargets;
}

}  // namespace tillsyn::fuzz
