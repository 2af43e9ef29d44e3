#include "relay/admin/keys.h"

#include "common/base/json.h"

namespace tillsyn::admin {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kMaxKeyFileBytes = 1024;

const char* name_of(KeyType type) { return type == KeyType::kRoot ? "root-key" : "bundle-key"; }

Path public_file(const Path& file) { return file.string() + ".pub"; }

Result<Bytes> read_seed(KeyType type, const std::string& text) {
  TILLSYN_TRY(value, parse_json(text));
  JsonReader in(value, "the key");
  in.integer("format", 1, 1);
  if (in.text("type", 16) != name_of(type)) in.fail("type", std::string("is not ") + name_of(type));
  Bytes seed = in.bytes("seed", kSeedBytes);
  TILLSYN_CHECK(in.finish());
  return seed;
}

}  // namespace

Result<void> make_key(KeyType type, const Path& file) {
  std::error_code ignored;
  for (const Path& path : {file, public_file(file)})
    if (std::filesystem::exists(path, ignored))
      return Error{Code::kConflict, "file",
                   path.string() + " is there already and is not overwritten: name another file"};
  const auto key = crypto::Ed25519PrivateKey::generate();
  const Json held = {{"format", 1}, {"type", name_of(type)}, {"seed", to_base64url(key.seed())}};
  TILLSYN_CHECK(write_new_file(file, canonical_json(held) + "\n", kPrivateFile));
  return write_new_file(public_file(file), to_base64url(key.public_key().bytes()) + "\n", kPublicFile);
}

Result<crypto::Ed25519PrivateKey> read_key(KeyType type, const Path& file) {
  TILLSYN_TRY(text, read_private_file(file, kMaxKeyFileBytes));
  const auto seed = read_seed(type, text);
  if (!seed) return seed.error().within(file.string() + " is no " + name_of(type) + " of tillsyn-admin's");
  return crypto::Ed25519PrivateKey::from_seed(*seed);
}

Result<crypto::Ed25519PublicKey> read_public_key(const Path& file) {
  TILLSYN_TRY(text, read_file(file, kMaxKeyFileBytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto bytes = from_base64url_exact<32>(text);
  if (!bytes) return bytes.error().within(file.string() + " holds no public key: give the .pub file");
  const auto key = crypto::Ed25519PublicKey::from_bytes(*bytes);
  if (!key) return key.error().within(file.string() + " holds no good public key");
  return key;
}

}  // namespace tillsyn::admin
