#pragma once

// Inside common/crypto and its tests only: the steps of RFC 9180, so that every published vector can be run, also those of
// suites the product does not use.

#include <cstdint>

#include "common/crypto/hpke.h"

namespace tillsyn::crypto::hpke {

// RFC 9180 §7.3; the identifier goes into every derivation.
struct Aead {
  std::uint16_t id;
  std::size_t key_bytes;
  std::size_t nonce_bytes;
};
inline constexpr Aead kAes256Gcm = {0x0002, 32, 12};

// §4.1, DHKEM: what both sides derive from the Diffie-Hellman result and the two public points.
Secret shared_secret(ByteView dh, ByteView enc, ByteView recipient);

struct Context {
  Secret key;    // empty for an AEAD without one (export only)
  Secret nonce;
  Secret exporter_secret;
};

// §5.1, base mode.
Context key_schedule(Aead aead, ByteView shared, ByteView info);

// §5.3.
Result<Secret> export_secret(Aead aead, ByteView exporter_secret, ByteView context, std::size_t size);

// hpke_seal with an ephemeral key that the caller gives, who must never give it twice.
HpkeSealed seal_with(const P256PrivateKey& ephemeral, const P256PublicKey& recipient, ByteView info, ByteView aad,
                     ByteView plaintext);

}  // namespace tillsyn::crypto::hpke
