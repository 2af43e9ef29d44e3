#include "relay/care/residents.h"

#include "common/crypto/aead.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"

namespace tillsyn::care {
namespace {

constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMaxAddressBytes = 512;

// nonce ‖ ciphertext ‖ tag, base64url. The nonce is random: a key seals a few texts in its life.
std::string seal(ByteView key, const std::string& context, ByteView plaintext) {
  const auto nonce = crypto::random_array<crypto::kGcmNonceBytes>();
  Bytes out(nonce.begin(), nonce.end());
  append(out, crypto::aes256gcm_seal(key.first<crypto::kAesKeyBytes>(), nonce, view_of(context), plaintext));
  return to_base64url(out);
}

Result<Bytes> unseal(ByteView key, const std::string& context, const std::string& sealed) {
  TILLSYN_TRY(bytes, from_base64url(sealed));
  if (bytes.size() < crypto::kGcmNonceBytes) return malformed("aead", "sealed text is too short");
  const ByteView view(bytes);
  return crypto::aes256gcm_open(key.first<crypto::kAesKeyBytes>(), view.first<crypto::kGcmNonceBytes>(),
                                view_of(context), view.subspan(crypto::kGcmNonceBytes));
}

std::string wrap_context(const std::string& resident) { return "resident key " + resident; }

Result<std::optional<crypto::Secret>> held_key(Provider& provider, const std::string& resident) {
  TILLSYN_TRY(row, provider.database.select_one<std::string>(
                       "select wrapped from resident_keys where resident = :resident", {resident}));
  std::optional<crypto::Secret> out;
  if (!row) return out;
  TILLSYN_TRY(key, unseal(provider.wrapping_key.view(), wrap_context(resident), std::get<0>(*row)));
  out = crypto::Secret::copy_of(key);
  crypto::wipe(key);
  return out;
}

Result<crypto::Secret> key_of(Provider& provider, const std::string& resident) {
  TILLSYN_TRY(held, held_key(provider, resident));
  if (held) return std::move(*held);
  auto key = crypto::Secret::random(crypto::kAesKeyBytes);
  TILLSYN_CHECK(
      provider.database.run("insert into resident_keys (resident, wrapped) values (:resident, :wrapped)",
                            {resident, seal(provider.wrapping_key.view(), wrap_context(resident), key.view())}));
  return key;
}

Result<Resident> opened(Provider& provider, const std::string& resident, const std::string& group,
                        const std::string& sealed) {
  TILLSYN_TRY(text, open_of(provider, resident, "resident", sealed));
  TILLSYN_TRY(value, parse_json(text));
  JsonReader in(value, "resident");
  Resident out{resident, group, in.text("name", kMaxNameBytes), in.text("address", kMaxAddressBytes),
               in.text("salt", 64)};
  TILLSYN_CHECK(in.finish());
  return out;
}

}  // namespace

std::string entity_tag(const Resident& resident) {
  const Json content = {resident.group, resident.name, resident.address, resident.salt};
  return '"' + to_base64url(crypto::sha256(view_of(content.dump()))) + '"';
}

Result<Resident> read_resident(const std::string& resident, const Json& value) {
  if (!orders::is_random_id(resident)) return malformed("malformed", "A resident's id is 16 random bytes.");
  JsonReader in(value, "resident");
  if (in.has("resident") && in.text("resident", 32) != resident) in.fail("resident", "is another one");
  Resident out{resident, in.text("group", 32), in.text("name", kMaxNameBytes), in.text("address", kMaxAddressBytes),
               to_base64url(in.bytes("salt", 32))};
  if (in.has("protected")) out.is_protected = in.boolean("protected");
  if (in.ok() && !orders::is_slug(out.group)) in.fail("group", "is not a group's name");
  if (in.ok() && out.name.empty()) in.fail("name", "is empty");
  TILLSYN_CHECK(in.finish());
  return out;
}

Result<void> put_resident(Provider& provider, const Resident& resident, const orders::Person& by, Instant now) {
  return provider.database.transaction([&]() -> Result<void> {
    const Json text = {{"name", resident.name}, {"address", resident.address}, {"salt", resident.salt}};
    TILLSYN_TRY(sealed, seal_for(provider, resident.resident, "resident", text.dump()));
    TILLSYN_CHECK(provider.database.run("delete from residents where resident = :resident", {resident.resident}));
    TILLSYN_CHECK(
        provider.database.run("insert into residents (resident, unit, sealed) values (:resident, :unit, :sealed)",
                              {resident.resident, resident.group, sealed}));
    TILLSYN_CHECK(provider.ledger->append_seen(
        {.what = "resident_entered", .resident = resident.resident, .who = {ledger_person(by)}}, now));
    return {};
  });
}

Result<Resident> get_resident(Provider& provider, const std::string& resident) {
  TILLSYN_TRY(row, (provider.database.select_one<std::string, std::string>(
                       "select unit, sealed from residents where resident = :resident", {resident})));
  if (!row) return Error{Code::kNotFound, "no_resident", "No name has been entered for this resident."};
  return opened(provider, resident, std::get<0>(*row), std::get<1>(*row));
}

Result<std::vector<Resident>> list_residents(Provider& provider, const std::string& after, std::size_t limit,
                                             const std::function<bool(const std::string&, bool)>& may_see) {
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::string, std::string, std::optional<std::int64_t>>(
                        "select r.resident, r.unit, r.sealed, p.since_ms from residents r left join "
                        "protected_residents p on p.resident = r.resident where r.resident > :after order by "
                        "r.resident",
                        {after})));
  std::vector<Resident> out;
  for (const auto& [resident, group, sealed, protected_since] : rows) {
    if (out.size() == limit) break;
    if (!may_see(group, protected_since.has_value())) continue;
    TILLSYN_TRY(one, opened(provider, resident, group, sealed));
    one.is_protected = protected_since.has_value();
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::string> seal_for(Provider& provider, const std::string& resident, const std::string& context,
                             const std::string& text) {
  TILLSYN_TRY(key, key_of(provider, resident));
  return seal(key.view(), context, view_of(text));
}

Result<std::string> open_of(Provider& provider, const std::string& resident, const std::string& context,
                            const std::string& sealed) {
  TILLSYN_TRY(key, held_key(provider, resident));
  if (!key) return Error{Code::kNotFound, "erased", "The resident's key has been destroyed."};
  TILLSYN_TRY(text, unseal(key->view(), context, sealed));
  return text_of(text);
}

std::string seal_for_provider(const Provider& provider, const std::string& context, const std::string& text) {
  return seal(provider.wrapping_key.view(), context, view_of(text));
}

Result<std::string> open_of_provider(const Provider& provider, const std::string& context, const std::string& sealed) {
  TILLSYN_TRY(text, unseal(provider.wrapping_key.view(), context, sealed));
  return text_of(text);
}

}  // namespace tillsyn::care
