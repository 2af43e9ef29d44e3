#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/orders/payloads.h"

namespace tillsyn::orders {

constexpr std::size_t kMaxOrderBytes = 64 * 1024;

// One person's signature over a payload, with what binds the key to the person: an ID token whose nonce was made from
// key and salt.
struct StaffSignature {
  ByteArray<64> sig{};
  crypto::P256PublicKey key;
  ByteArray<32> salt{};
  std::string id_token;
};

// An order as it travelled, read and not yet judged.
struct Order {
  std::string text;          // the whole order as received: what is stored and handed on
  std::string payload_text;  // what was signed
  Payload payload;
  Hash hash{};  // SHA-256 of signed("order", payload_text); the order's name everywhere
  std::vector<StaffSignature> signatures;

  std::int64_t version() const { return payload.common.standing ? payload.common.standing->version : 0; }
};

// Reads form only: strict JSON, every member, as many signatures as signers, keys that are points of the curve.
// Failures as parse_payload's. Of an order whose payload waits or is refused, order_hash_in still tells the hash.
Result<Order> parse_order(std::string_view json);

// The hash of the order in `json`, whatever its payload's format and type; "malformed" if even the envelope is.
Result<Hash> order_hash_in(std::string_view json);

Hash order_hash(std::string_view payload_text);

// The order's one spelling from its parts. `parse_order` reads it back.
std::string format_order(std::string_view payload_text, const std::vector<StaffSignature>& signatures);

}  // namespace tillsyn::orders
