#include "relay/care/drafts.h"

#include <algorithm>

#include "common/crypto/random.h"
#include "common/orders/order.h"

namespace tillsyn::care {
namespace {

constexpr std::size_t kMaxSigners = 2;
constexpr std::int64_t kMaxOfPerson = 50;
constexpr std::int64_t kMaxOfProvider = 1000;

Instant instant_of(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

// The place at which the person signs; nullopt when the draft does not name the person.
std::optional<std::size_t> place_of(const Draft& draft, const orders::Person& person) {
  const auto& signers = draft.payload.common.signers;
  const auto found =
      std::find_if(signers.begin(), signers.end(), [&](const auto& signer) { return signer.person == person; });
  if (found == signers.end()) return std::nullopt;
  return static_cast<std::size_t>(found - signers.begin());
}

// One signature alone: its form, and that it is over this payload. Whose key it is, is judged when the order is whole.
Result<void> check_signature(const Json& signature, const std::string& payload) {
  JsonReader in(signature, "signature");
  const Bytes sig = in.bytes("sig", 64);
  in.bytes("salt", 32);
  const Json& key = in.object("key");
  const Json& proof = in.object("proof");
  if (!in.finish()) return in.finish();
  JsonReader inner(proof, "proof");
  inner.text("id_token", crypto::kMaxJwsBytes);
  TILLSYN_CHECK(inner.finish());
  TILLSYN_TRY(public_key, crypto::P256PublicKey::from_jwk(key));
  if (!public_key.verify(signed_bytes("order", view_of(payload)), sig)) {
    return refused("bad_signature", "The signature is not over this draft.");
  }
  return {};
}

Result<Draft> read_draft(const Json& value) {
  JsonReader in(value, "draft");
  const std::string text = in.text("payload", orders::kMaxPayloadBytes);
  const Json& signatures = in.array("signatures", kMaxSigners);
  TILLSYN_CHECK(in.finish());
  TILLSYN_TRY(payload, orders::parse_payload(text));
  if (signatures.size() != payload.common.signers.size()) {
    return malformed("malformed", "A draft has one place for each of its signers.");
  }
  return Draft{{}, value, std::move(payload), {}};
}

Result<void> check_signatures(const Draft& draft) {
  for (const Json& signature : draft.body["signatures"])
    if (!signature.is_null()) TILLSYN_CHECK(check_signature(signature, draft.text()));
  return {};
}

// Each draft is read whenever somebody lists theirs.
Result<void> check_room(Provider& provider, const orders::Person& person, Instant now) {
  TILLSYN_CHECK(provider.database.run("delete from drafts where expires_ms <= :now", {now.time_since_epoch().count()}));
  TILLSYN_TRY(all, provider.database.select<std::int64_t>("select count(*) from drafts"));
  TILLSYN_TRY(
      own, provider.database.select<std::int64_t>("select count(*) from drafts where made_by = :by", {person.value}));
  if (std::get<0>(own.at(0)) < kMaxOfPerson && std::get<0>(all.at(0)) < kMaxOfProvider) return {};
  return refused("too_many_drafts", "Too many orders wait for a signature; have some signed or taken back first.");
}

Result<std::vector<Draft>> all_drafts(Provider& provider, Instant now) {
  const std::int64_t now_ms = now.time_since_epoch().count();
  TILLSYN_CHECK(provider.database.run("delete from drafts where expires_ms <= :now", {now_ms}));
  TILLSYN_TRY(rows, (provider.database.select<std::string, std::string, std::int64_t>(
                        "select id, body, expires_ms from drafts order by expires_ms, id")));
  std::vector<Draft> out;
  for (const auto& [id, body, expires] : rows) {
    TILLSYN_TRY(value, parse_json(body));
    TILLSYN_TRY(draft, read_draft(value));
    draft.id = id;
    draft.expires_at = instant_of(expires);
    out.push_back(std::move(draft));
  }
  return out;
}

Result<Draft> find_draft(Provider& provider, const std::string& id, const orders::Person& person, Instant now) {
  TILLSYN_TRY(drafts, all_drafts(provider, now));
  for (Draft& draft : drafts) {
    if (draft.id == id && place_of(draft, person)) return std::move(draft);
  }
  return Error{Code::kNotFound, "no_draft", "There is no such draft; it has run out, been signed or been taken back."};
}

bool is_complete(const Json& signatures) {
  return std::none_of(signatures.begin(), signatures.end(), [](const Json& one) { return one.is_null(); });
}

// What was ordered and by whom, though it may never come about; of a right also for whom (LOG-12).
Result<void> enter(Provider& provider, const char* what, const Draft& draft, const orders::Person& by, Instant now) {
  const Json payload = Json::parse(draft.text(), nullptr, false);
  Json details;
  if (payload["type"] == "grant" || payload["type"] == "revoke") details = {{"payload", draft.text()}};
  TILLSYN_CHECK(provider.ledger->append_seen({.what = what,
                                              .who = {ledger_person(by)},
                                              .hash = orders::order_hash(draft.text()),
                                              .reason = payload["type"].get<std::string>(),
                                              .details = std::move(details)},
                                             now));
  return {};
}

Result<void> drop(Provider& provider, const std::string& id) {
  TILLSYN_CHECK(provider.database.run("delete from drafts where id = :id", {id}));
  return {};
}

}  // namespace

Result<std::vector<Draft>> drafts_for(Provider& provider, const orders::Person& person, Instant now) {
  TILLSYN_TRY(drafts, all_drafts(provider, now));
  std::erase_if(drafts, [&](const Draft& draft) { return !place_of(draft, person); });
  return drafts;
}

Result<std::string> add_draft(Provider& provider, const Json& value, const orders::Person& person, Instant now) {
  TILLSYN_TRY(draft, read_draft(value));
  if (draft.payload.common.provider != provider.id)
    return refused("wrong_provider", "The draft is another provider's.");
  const auto place = place_of(draft, person);
  if (!place || draft.body["signatures"][*place].is_null()) {
    return refused("person_mismatch", "Who hands in a draft has signed it.");
  }
  TILLSYN_CHECK(check_signatures(draft));
  TILLSYN_CHECK(check_room(provider, person, now));
  const std::string id = to_base64url(crypto::random_array<16>());
  const Instant expires = now + kDraftLife;
  const auto done = provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(provider.database.run(
        "insert into drafts (id, hash, body, made_by, expires_ms) values (:id, :hash, :body, :by, :expires)",
        {id, to_base64url(orders::order_hash(draft.text())), draft.body.dump(), person.value,
         std::int64_t{expires.time_since_epoch().count()}}));
    return enter(provider, "draft_made", draft, person, now);
  });
  if (!done) return done.error();
  return id;
}

Result<std::optional<Accepted>> sign_draft(Provider& provider, const Trusted& trusted, const std::string& id,
                                           const Json& signature, const orders::Person& person, Instant now) {
  TILLSYN_TRY(draft, find_draft(provider, id, person, now));
  TILLSYN_CHECK(check_signature(signature, draft.text()));
  draft.body["signatures"][*place_of(draft, person)] = signature;
  std::optional<Accepted> out;
  if (!is_complete(draft.body["signatures"])) {
    TILLSYN_CHECK(provider.database.run("update drafts set body = :body where id = :id", {draft.body.dump(), id}));
    return out;
  }
  TILLSYN_TRY(accepted, accept_order(provider, trusted, draft.body.dump(), std::nullopt, person, now));
  TILLSYN_CHECK(drop(provider, id));
  out = accepted;
  return out;
}

Result<void> delete_draft(Provider& provider, const std::string& id, const orders::Person& person, Instant now) {
  TILLSYN_TRY(draft, find_draft(provider, id, person, now));
  return provider.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(drop(provider, draft.id));
    return enter(provider, "draft_dropped", draft, person, now);
  });
}

}  // namespace tillsyn::care
