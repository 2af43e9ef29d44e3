#include "relay/care/enrolment.h"

#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/orders/device_documents.h"
#include "common/orders/names.h"

namespace tillsyn::care {
namespace {

constexpr std::size_t kCodeLetters = 16;

std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }

// Evenly chosen: bytes past the last whole multiple of the alphabet are thrown away.
std::string random_code() {
  const std::size_t letters = orders::kCodeAlphabet.size();
  const std::size_t usable = 256 / letters * letters;
  std::string out;
  while (out.size() < kCodeLetters) {
    const auto byte = crypto::random_array<1>()[0];
    if (byte < usable) out.push_back(orders::kCodeAlphabet[byte % letters]);
  }
  return out;
}

std::string code_hash(const std::string& code) {
  return to_base64url(crypto::sha256(view_of("tillsyn enrolment code\n" + code)));
}

Error bad_code() {
  return refused("bad_code", "The code is wrong, used or has run out: ask the technician for a new one.");
}

ProviderIndex::Hash index_of(const std::string& link_key) { return crypto::sha256(view_of(link_key)); }

struct Waiting {
  std::string provider;
  std::string code_hash;
  Instant expires_at;
  std::int64_t tries = 0;
};

Result<std::optional<Waiting>> waiting_code(store::Database& shared, const std::string& hub) {
  TILLSYN_TRY(row, (shared.select_one<std::string, std::string, std::int64_t, std::int64_t>(
                       "select provider, code_hash, expires_ms, tries from enrolment_codes where hub = :hub", {hub})));
  std::optional<Waiting> out;
  if (row) {
    const auto& [provider, hash, expires, tries] = *row;
    out = Waiting{provider, hash, Instant(std::chrono::milliseconds(expires)), tries};
  }
  return out;
}

// A wrong try is counted, so that the code of one hub cannot be guessed at.
Result<std::string> provider_for_code(store::Database& shared, const std::string& hub, const std::string& code,
                                      Instant now) {
  TILLSYN_TRY(waiting, waiting_code(shared, hub));
  if (!waiting || waiting->expires_at <= now || waiting->tries >= Enrolment::kMaxTries) return bad_code();
  if (crypto::constant_time_equal(view_of(code_hash(code)), view_of(waiting->code_hash))) return waiting->provider;
  TILLSYN_CHECK(shared.run("update enrolment_codes set tries = tries + 1 where hub = :hub", {hub}));
  return bad_code();
}

Result<EnrolledHub> enrolled(const std::string& id, const std::string& provider, const std::string& device_key) {
  TILLSYN_TRY(point, from_base64url(device_key));
  TILLSYN_TRY(key, crypto::P256PublicKey::from_point(point));
  return EnrolledHub{id, provider, key, false};
}

}  // namespace

Result<std::unique_ptr<Enrolment>> Enrolment::open(store::Database& shared) {
  std::unique_ptr<Enrolment> out(new Enrolment(shared));
  TILLSYN_TRY(rows, (shared.select<std::string, std::string>("select link_key, provider from links")));
  for (const auto& [link_key, provider] : rows) out->links_.put(index_of(link_key), provider);
  return out;
}

Result<Enrolment::OneTimeCode> Enrolment::make_code(const std::string& provider, const std::string& hub, Instant now) {
  if (!orders::is_hub(hub)) return malformed("malformed", "A hub is named by its device key's thumbprint.");
  TILLSYN_TRY(held, shared_.select_one<std::string>("select provider from links where hub = :hub", {hub}));
  if (held && std::get<0>(*held) != provider) {
    return Error{Code::kConflict, "slot_taken", "The hub is enrolled with another provider."};
  }
  const OneTimeCode made{random_code(), now + kCodeLife};
  const auto done = shared_.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(shared_.run("delete from enrolment_codes where hub = :hub", {hub}));
    TILLSYN_CHECK(
        shared_.run("insert into enrolment_codes (hub, provider, code_hash, expires_ms, tries) values (:hub, "
                    ":provider, :code, :at, 0)",
                    {hub, provider, code_hash(made.code), ms_of(made.expires_at)}));
    return {};
  });
  if (!done) return done.error();
  return made;
}

Result<EnrolledHub> Enrolment::enrol(const std::string& code, const Json& link_key_envelope, ByteView link_key,
                                     Instant now) {
  TILLSYN_TRY(request, orders::open_link_key(link_key_envelope.dump(-1, ' ', false, Json::error_handler_t::replace)));
  const ByteView named(request.link_key.point());
  if (!std::equal(named.begin(), named.end(), link_key.begin(), link_key.end())) {
    return refused("wrong_link_key", "The connection was made under another link key than the one that is asked for.");
  }
  const std::string hub = request.device_key.thumbprint_text();
  TILLSYN_TRY(held, (shared_.select_one<std::int64_t, std::string, std::string>(
                        "select n, link_key, provider from links where hub = :hub", {hub})));
  // Who holds the key that is enrolled already has not heard the answer: the code, used up by it, opens nothing more.
  if (held && std::get<0>(*held) == request.n && std::get<1>(*held) == to_base64url(named)) {
    return EnrolledHub{hub, std::get<2>(*held), request.device_key, false};
  }
  TILLSYN_TRY(provider, provider_for_code(shared_, hub, code, now));
  if (held && std::get<0>(*held) >= request.n) return refused("replayed", "The hub has a newer link key already.");
  const auto done = shared_.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(shared_.run("delete from enrolment_codes where hub = :hub", {hub}));
    TILLSYN_CHECK(shared_.run("delete from links where hub = :hub", {hub}));
    TILLSYN_CHECK(shared_.run(
        "insert into links (hub, provider, device_key, link_key, n) values (:hub, :provider, :device, :link, :n)",
        {hub, provider, to_base64url(request.device_key.point()), to_base64url(named), request.n}));
    return {};
  });
  if (!done && done.error().code == Code::kConflict) return refused("replayed", "Another hub has this link key.");
  if (!done) return done.error();
  if (held) links_.drop(index_of(std::get<1>(*held)));
  links_.put(index_of(to_base64url(named)), provider);
  return EnrolledHub{hub, provider, request.device_key, true};
}

std::optional<std::string> Enrolment::provider_of_link(ByteView link_key) const {
  return links_.provider_of(index_of(to_base64url(link_key)));
}

Result<EnrolledHub> Enrolment::find(ByteView link_key) {
  TILLSYN_TRY(row,
              (shared_.select_one<std::string, std::string, std::string>(
                  "select hub, provider, device_key from links where link_key = :link", {to_base64url(link_key)})));
  if (!row) return refused("unknown_link_key", "No hub is enrolled under this link key: enrol it again.");
  return enrolled(std::get<0>(*row), std::get<1>(*row), std::get<2>(*row));
}

Result<EnrolledHub> Enrolment::of(const std::string& hub) {
  TILLSYN_TRY(row, (shared_.select_one<std::string, std::string>(
                       "select provider, device_key from links where hub = :hub", {hub})));
  if (!row) return refused("unknown_link_key", "No such hub is enrolled.");
  return enrolled(hub, std::get<0>(*row), std::get<1>(*row));
}

Result<std::vector<EnrolledHub>> Enrolment::all() {
  TILLSYN_TRY(rows,
              (shared_.select<std::string, std::string, std::string>("select hub, provider, device_key from links")));
  std::vector<EnrolledHub> out;
  for (const auto& [hub, provider, device_key] : rows) {
    TILLSYN_TRY(one, enrolled(hub, provider, device_key));
    out.push_back(std::move(one));
  }
  return out;
}

std::optional<std::string> Enrolment::provider_of(const std::string& hub) {
  const auto waiting = waiting_code(shared_, hub);
  if (waiting && *waiting) return (*waiting)->provider;
  const auto row = shared_.select_one<std::string>("select provider from links where hub = :hub", {hub});
  if (row && *row) return std::get<0>(**row);
  return std::nullopt;
}

}  // namespace tillsyn::care
