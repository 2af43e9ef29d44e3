#include "common/crypto/aead.h"
#include "common/crypto/hpke_internal.h"
#include "tests/unit/crypto/vectors.h"

using namespace tillsyn;
using namespace tillsyn::crypto;
using namespace tillsyn::test;

namespace {

hpke::Aead aead_of(const Json& vector) {
  return {vector.at("aead_id").get<std::uint16_t>(), hex(vector, "key").size(), hex(vector, "base_nonce").size()};
}

P256PrivateKey private_key(const Json& vector, const char* name) {
  auto key = P256PrivateKey::from_scalar(hex(vector, name));
  REQUIRE(key.ok());
  return std::move(*key);
}

// RFC 9180 §5.2: the nonce of the how-manieth message of a context.
ByteArray<12> nonce_for(ByteView base, std::uint64_t sequence) {
  ByteArray<12> nonce;
  for (std::size_t i = nonce.size(); i-- > 0; sequence >>= 8)
    nonce[i] = static_cast<std::uint8_t>(base[i] ^ (sequence & 0xff));
  return nonce;
}

const Bytes kInfo = bytes_of(view_of("order hash"));
const Bytes kStreamKey(32, 7);

}  // namespace

TEST_CASE("every published context is derived, with its exports", "[crypto][VID-2]") {
  int contexts = 0, exports = 0;
  const Json vectors = load_vectors("hpke_rfc9180_p256_sha256_base.json");
  for (const auto& vector : vectors.at("vectors")) {
    const auto recipient = private_key(vector, "skRm");
    const auto ephemeral = private_key(vector, "skEm");
    CHECK(bytes_of(recipient.public_key().point()) == hex(vector, "pkRm"));
    CHECK(bytes_of(ephemeral.public_key().point()) == hex(vector, "enc"));
    const Secret shared = hpke::shared_secret(ephemeral.ecdh(recipient.public_key()).view(), hex(vector, "enc"),
                                              hex(vector, "pkRm"));
    CHECK(bytes_of(shared.view()) == hex(vector, "shared_secret"));
    const auto context = hpke::key_schedule(aead_of(vector), shared.view(), hex(vector, "info"));
    CHECK(bytes_of(context.key.view()) == hex(vector, "key"));
    CHECK(bytes_of(context.nonce.view()) == hex(vector, "base_nonce"));
    CHECK(bytes_of(context.exporter_secret.view()) == hex(vector, "exporter_secret"));
    for (const auto& each : vector.at("exports")) {
      const auto made = hpke::export_secret(aead_of(vector), context.exporter_secret.view(),
                                            hex(each, "exporter_context"), each.at("L"));
      REQUIRE(made.ok());
      CHECK(bytes_of(made->view()) == hex(each, "exported_value"));
      ++exports;
    }
    ++contexts;
  }
  CHECK(contexts == 3);
  CHECK(exports == 9);
}

TEST_CASE("the published messages of our suite are sealed and opened", "[crypto][VID-2]") {
  int messages = 0;
  const Json vectors = load_vectors("hpke_rfc9180_p256_sha256_base.json");
  for (const auto& vector : vectors.at("vectors")) {
    if (vector.at("aead_id") != hpke::kAes256Gcm.id) continue;
    const Bytes key = hex(vector, "key"), base_nonce = hex(vector, "base_nonce");
    std::uint64_t sequence = 0;
    for (const auto& each : vector.at("encryptions")) {
      const auto nonce = nonce_for(base_nonce, sequence++);
      CHECK(bytes_of(nonce) == hex(each, "nonce"));
      CHECK(aes256gcm_seal(AesKeyView(key.data(), kAesKeyBytes), nonce, hex(each, "aad"), hex(each, "pt")) ==
            hex(each, "ct"));
      ++messages;
    }
    const auto& first = vector.at("encryptions").at(0);
    const auto recipient = private_key(vector, "skRm");
    const auto sealed = hpke::seal_with(private_key(vector, "skEm"), recipient.public_key(), hex(vector, "info"),
                                        hex(first, "aad"), hex(first, "pt"));
    CHECK(bytes_of(sealed.enc) == hex(vector, "enc"));
    CHECK(sealed.ciphertext == hex(first, "ct"));
    const auto opened = hpke_open(recipient, sealed.enc, hex(vector, "info"), hex(first, "aad"), sealed.ciphertext);
    REQUIRE(opened.ok());
    CHECK(bytes_of(opened->plaintext.view()) == hex(first, "pt"));
    const auto& exported = vector.at("exports").at(0);
    CHECK(bytes_of(opened->exporter.derive(hex(exported, "exporter_context"), exported.at("L"))->view()) ==
          hex(exported, "exported_value"));
  }
  CHECK(messages == 257);
}

TEST_CASE("gate and viewer come to the same stream key and the same life key", "[crypto][VID-2]") {
  const auto viewer = P256PrivateKey::generate();
  const auto sealed = hpke_seal(viewer.public_key(), kInfo, {}, kStreamKey);
  CHECK(sealed.ciphertext.size() == 48);
  const auto opened = hpke_open(viewer, sealed.enc, kInfo, {}, sealed.ciphertext);
  REQUIRE(opened.ok());
  CHECK(bytes_of(opened->plaintext.view()) == kStreamKey);
  const auto life = sealed.exporter.derive(view_of("tillsyn life v1"), 32);
  CHECK(bytes_of(life->view()) == bytes_of(opened->exporter.derive(view_of("tillsyn life v1"), 32)->view()));
  CHECK(bytes_of(life->view()) != bytes_of(sealed.exporter.derive(view_of("tillsyn life v2"), 32)->view()));
  CHECK(hpke_seal(viewer.public_key(), kInfo, {}, kStreamKey).enc != sealed.enc);  // never the same ephemeral twice
  CHECK_FALSE(sealed.exporter.derive({}, 255 * 32 + 1).ok());
}

TEST_CASE("a sealed key opens for one viewer, one order and untouched bytes only", "[crypto][VID-2]") {
  const auto viewer = P256PrivateKey::generate();
  const auto sealed = hpke_seal(viewer.public_key(), kInfo, {}, kStreamKey);
  CHECK_FALSE(hpke_open(P256PrivateKey::generate(), sealed.enc, kInfo, {}, sealed.ciphertext).ok());
  CHECK_FALSE(hpke_open(viewer, sealed.enc, view_of("another order"), {}, sealed.ciphertext).ok());
  CHECK_FALSE(hpke_open(viewer, sealed.enc, kInfo, view_of("aad"), sealed.ciphertext).ok());
  CHECK_FALSE(hpke_open(viewer, viewer.public_key().point(), kInfo, {}, sealed.ciphertext).ok());
  for_each_flipped_bit(sealed.ciphertext, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(hpke_open(viewer, sealed.enc, kInfo, {}, changed).ok());
  });
  for_each_flipped_bit(sealed.enc, [&](ByteView changed, std::size_t) {
    CHECK_FALSE(hpke_open(viewer, changed, kInfo, {}, sealed.ciphertext).ok());
  });
  for (std::size_t size = 0; size < sealed.ciphertext.size(); ++size)
    CHECK_FALSE(hpke_open(viewer, sealed.enc, kInfo, {}, ByteView(sealed.ciphertext).first(size)).ok());
}
