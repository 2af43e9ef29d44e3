#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/crypto/p256.h"
#include "common/orders/names.h"

namespace tillsyn::orders {

// The hashes that tie one thing to another (PROTOCOL.md, "Order").

// The nonce of the login that a staff key was made for: b64url(SHA-256("tillsyn staff key v1" ‖ 0 ‖ thumbprint ‖
// salt)).
std::string staff_nonce(const ByteArray<32>& key_thumbprint, const ByteArray<32>& salt);

// Of a note to an outcome: SHA-256(salt ‖ text).
Hash note_hash(const ByteArray<32>& salt, std::string_view text);

// Of a resident's name and address in a consent, so that what is shown can be checked against what was signed.
Hash name_hash(const ByteArray<32>& salt, std::string_view name, std::string_view address);

// The slot of a person's grants and revokes: "person/" b64url(SHA-256(issuer ‖ 0 ‖ value)).
std::string person_slot(const Person& person);

// What a staff key signs to open a session at a relay: signed("session", host ‖ 0 ‖ challenge). `relay_host` is
// "name:port" as in the root list.
Bytes session_bytes(std::string_view relay_host, const ByteArray<32>& challenge);

}  // namespace tillsyn::orders
