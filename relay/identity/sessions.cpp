#include "relay/identity/sessions.h"

#include <algorithm>

#include "common/crypto/ed25519.h"
#include "common/crypto/hash.h"
#include "common/crypto/jws.h"
#include "common/crypto/random.h"
#include "common/orders/bindings.h"
#include "common/orders/proof.h"
#include "common/orders/rights.h"
#include "relay/identity/minimal.h"

namespace tillsyn::identity {
namespace {

constexpr std::chrono::hours kTrustMachineLife{1};

template <std::size_t N>
ByteArray<N> array_of(const Bytes& bytes) {
  ByteArray<N> out{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), N), out.begin());
  return out;
}

Error no_session() { return refused("no_session", "The session has ended: log in anew."); }

// The host is part of what is signed, so that a relay cannot pass a challenge of another's on.
Result<void> check_host(const orders::RootList& list, const std::string& host) {
  const auto is_listed =
      std::any_of(list.relays.begin(), list.relays.end(), [&](const auto& relay) { return relay.host == host; });
  if (is_listed) return {};
  return refused("wrong_relay", "The root list knows no relay by the name under which it was called.");
}

}  // namespace

std::string Sessions::challenge(Instant now) {
  std::erase_if(challenges_, [&](const auto& held) { return now - held.second > terms_.challenge_life; });
  while (challenges_.size() >= terms_.max_challenges) {
    challenges_.erase(std::min_element(challenges_.begin(), challenges_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  const auto fresh = to_base64url(crypto::random_array<32>());
  challenges_.emplace(fresh, now);
  return fresh;
}

bool Sessions::take_challenge(const ByteArray<32>& challenge, Instant now) {
  const auto held = challenges_.find(to_base64url(challenge));
  if (held == challenges_.end()) return false;
  const bool is_live = now - held->second <= terms_.challenge_life;
  challenges_.erase(held);
  return is_live;
}

Result<Sessions::Opened> Sessions::open(const Json& body, const std::string& host, const care::Provider& provider,
                                        const care::Trusted& trusted, Instant now) {
  JsonReader in(body, "session");
  const auto challenge = array_of<32>(in.bytes("challenge", 32));
  in.text("provider", 32);
  if (!in.ok()) return malformed("malformed", in.finish().error().message);
  if (!take_challenge(challenge, now)) {
    return refused("unknown_challenge", "The challenge is unknown, used or too old: ask for a new one.");
  }
  TILLSYN_CHECK(check_host(*trusted.root_list, host));
  return in.has("bundle_key") ? open_trust_machine(in, challenge, host, provider, trusted, now)
                              : open_staff(in, challenge, host, provider, trusted, now);
}

Result<Sessions::Opened> Sessions::open_staff(JsonReader& in, const ByteArray<32>& challenge, const std::string& host,
                                              const care::Provider& provider, const care::Trusted& trusted,
                                              Instant now) {
  const Json jwk = in.object("key");
  const auto salt = array_of<32>(in.bytes("salt", 32));
  const std::string id_token = in.text("id_token", crypto::kMaxJwsBytes);
  const Bytes sig = in.bytes("sig", crypto::kP256SignatureBytes);
  if (const auto read = in.finish(); !read) return malformed("malformed", read.error().message);
  const auto key = crypto::P256PublicKey::from_jwk(jwk);
  if (!key) return malformed("malformed", key.error().message);
  if (!key->verify(orders::session_bytes(host, challenge), sig)) {
    return refused("bad_signature", "The challenge was not signed by the key it came with.");
  }
  const auto& list = *trusted.root_list;
  TILLSYN_CHECK(orders::check_current(list, now));
  TILLSYN_CHECK(orders::check_current(*trusted.bundle, now));
  const orders::Provider* listed = list.provider(provider.id);
  if (!listed) return Error{Code::kNotFound, "unknown_provider", "The root list does not name this provider."};
  TILLSYN_TRY(identity, orders::check_id_token(id_token, orders::staff_nonce(key->thumbprint(), salt), *listed, list,
                                               *trusted.bundle));
  const orders::Issuer* issuer = list.issuer(identity.person.issuer);
  if (!issuer) return refused("unknown_issuer", "The root list does not name this identity provider.");
  TILLSYN_CHECK(orders::check_fresh(identity, *issuer, now));
  TILLSYN_CHECK(check_minimal(id_token, issuer->person_claim));
  const orders::RightsContext context{*listed, list, *trusted.bundle, provider.book};
  auto rights = orders::current_rights(identity.person, context, now);
  if (rights.empty()) return refused("no_grant", "You have no right at this provider now: ask your manager.");
  return keep({provider.id, false, identity.person, {}}, identity.auth_time + issuer->max_auth_age, std::move(rights),
              now);
}

Result<Sessions::Opened> Sessions::open_trust_machine(JsonReader& in, const ByteArray<32>& challenge,
                                                      const std::string& host, const care::Provider& provider,
                                                      const care::Trusted& trusted, Instant now) {
  const Bytes bundle_key = in.bytes("bundle_key", 32);
  const Bytes sig = in.bytes("sig", 64);
  if (const auto read = in.finish(); !read) return malformed("malformed", read.error().message);
  const auto& keys = trusted.root_list->bundle_keys;
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& one) {
    return std::equal(one.bytes().begin(), one.bytes().end(), bundle_key.begin(), bundle_key.end());
  });
  if (key == keys.end() || !key->verify(orders::session_bytes(host, challenge), sig)) {
    return refused("bad_signature", "The challenge was not signed by a bundle key of the root list.");
  }
  return keep({provider.id, true, {}, {}}, now + kTrustMachineLife, {}, now);
}

Result<Sessions::Opened> Sessions::keep(Session session, Instant ends_at, std::vector<orders::Right> rights,
                                        Instant now) {
  drop_ended(now);
  make_room_for(session);
  if (sessions_.size() >= terms_.max_sessions || count_of(session.provider) >= terms_.max_of_provider) {
    return Error{Code::kUnavailable, "too_many_sessions", "Too many are logged in; try again in a while."};
  }
  const auto token = crypto::random_array<32>();
  session.expires_at = std::min<Instant>(ends_at, now + terms_.inactivity);
  sessions_[crypto::sha256(token)] = {session, now, ends_at};
  index_.put(crypto::sha256(token), session.provider);
  return Opened{to_base64url(token), std::move(session), std::move(rights)};
}

// One login can open many sessions; they are not to use up everybody's.
void Sessions::make_room_for(const Session& session) {
  std::size_t count = 0;
  auto oldest = sessions_.end();
  for (auto one = sessions_.begin(); one != sessions_.end(); ++one) {
    const Session& held = one->second.session;
    if (held.provider != session.provider || held.is_trust_machine != session.is_trust_machine ||
        !(held.person == session.person)) {
      continue;
    }
    ++count;
    if (oldest == sessions_.end() || one->second.last_used < oldest->second.last_used) oldest = one;
  }
  if (count >= terms_.max_of_person) drop(ByteArray<32>(oldest->first));
}

std::size_t Sessions::count_of(const std::string& provider) const {
  return static_cast<std::size_t>(std::count_if(
      sessions_.begin(), sessions_.end(), [&](const auto& one) { return one.second.session.provider == provider; }));
}

bool Sessions::has_ended(const Held& held, Instant now) const {
  return now >= held.ends_at || now - held.last_used >= terms_.inactivity;
}

void Sessions::drop_ended(Instant now) {
  std::erase_if(sessions_, [&](const auto& held) {
    const bool ended = has_ended(held.second, now);
    if (ended) index_.drop(held.first);
    return ended;
  });
}

void Sessions::drop(const ByteArray<32>& key) {
  sessions_.erase(key);
  index_.drop(key);
}

std::optional<std::string> Sessions::provider_of(const std::string& token) const {
  const auto bytes = from_base64url_exact<32>(token);
  return bytes ? index_.provider_of(crypto::sha256(*bytes)) : std::nullopt;
}

Result<Session> Sessions::authenticate(const std::string& token, Instant now) {
  const auto bytes = from_base64url_exact<32>(token);
  if (!bytes) return no_session();
  const auto key = crypto::sha256(*bytes);
  if (!look_up(token, now)) {
    drop(key);  // for good, whatever the clock says later
    return no_session();
  }
  Held& held = sessions_.at(key);
  held.last_used = std::max(held.last_used, now);
  held.session.expires_at = std::min<Instant>(held.ends_at, held.last_used + terms_.inactivity);
  return held.session;
}

Result<Session> Sessions::look_up(const std::string& token, Instant now) const {
  const auto bytes = from_base64url_exact<32>(token);
  if (!bytes) return no_session();
  const auto found = sessions_.find(crypto::sha256(*bytes));
  if (found == sessions_.end() || has_ended(found->second, now)) return no_session();
  return found->second.session;
}

std::optional<Session> Sessions::close(const std::string& token, Instant now) {
  const auto session = authenticate(token, now);
  if (!session) return std::nullopt;
  drop(crypto::sha256(*from_base64url_exact<32>(token)));
  return *session;
}

}  // namespace tillsyn::identity
