#include "relay/admin/issuer_keys.h"

#include <catch2/catch.hpp>

#include "tests/fakes/order_maker.h"

namespace tillsyn::admin {
namespace {

using orders::IssuerKey;
using orders::IssuerKeys;

const Instant kNow = *parse_instant("2026-11-22T20:15:00Z");
const std::string kUrl = "https://id.example";

orders::Issuer issuer() {
  auto out = fakes::TestIssuer(kUrl, fakes::TestIssuer::Algorithm::kEs256, "a").listed();
  out.new_key_delay = std::chrono::hours(24);
  return out;
}

Json jwk(const std::string& kid, const std::string& material = {}) {
  return fakes::TestIssuer(kUrl, fakes::TestIssuer::Algorithm::kEs256, kid, material.empty() ? kid : material).jwk();
}

std::string jwks(const std::vector<Json>& keys) { return Json{{"keys", keys}}.dump(); }

struct Next {
  std::vector<IssuerKey> keys;
  Report report;

  const IssuerKey* find(const std::string& kid) const {
    for (const auto& key : keys)
      if (key.kid == kid) return &key;
    return nullptr;
  }
};

Next next(const std::vector<Json>& shown, const std::vector<IssuerKey>& held, Instant now = kNow,
          const std::vector<orders::RevokedKey>& revoked = {}) {
  Next out;
  const IssuerKeys previous{kUrl, held};
  out.keys = next_keys(issuer(), shown, held.empty() ? nullptr : &previous, revoked, now, out.report);
  return out;
}

std::vector<IssuerKey> held_since(Instant from, const std::string& kid) {
  return {*orders::issuer_key(jwk(kid), from, std::nullopt)};
}

TEST_CASE("the very first keys of an issuer count at once", "[admin][IAM-1]") {
  const auto first = next({jwk("a"), jwk("b")}, {});
  REQUIRE(first.keys.size() == 2);
  CHECK(first.keys[0].not_before == kNow);
  CHECK(first.report.alarms.empty());
}

TEST_CASE("a key new in the set counts after the issuer's delay, and somebody is told", "[admin][IAM-1]") {
  const auto later = next({jwk("b"), jwk("a")}, held_since(kNow - std::chrono::hours(1), "a"));
  REQUIRE(later.find("b") != nullptr);
  CHECK(later.find("b")->not_before == kNow + std::chrono::hours(24));
  CHECK(later.find("a")->not_before == kNow - std::chrono::hours(1));
  CHECK(later.report.alarms.size() == 1);

  const auto next_day = next({jwk("b"), jwk("a")}, later.keys, kNow + std::chrono::hours(25));
  CHECK(next_day.find("b")->not_before == kNow + std::chrono::hours(24));
  CHECK(next_day.report.alarms.empty());
}

TEST_CASE("a key that vanishes counts until now, and at once again when it returns", "[admin][IAM-1]") {
  const Instant start = kNow - std::chrono::hours(1);
  auto held = held_since(start, "a");
  held.push_back(*orders::issuer_key(jwk("b"), start, std::nullopt));
  const auto gone = next({jwk("b")}, held);
  REQUIRE(gone.find("a") != nullptr);
  CHECK(gone.find("a")->not_after == kNow);
  const auto still_gone = next({jwk("b")}, gone.keys, kNow + std::chrono::hours(1));
  CHECK(still_gone.find("a")->not_after == kNow);
  const auto back = next({jwk("b"), jwk("a")}, still_gone.keys, kNow + std::chrono::hours(2));
  CHECK_FALSE(back.find("a")->not_after);
  CHECK(back.find("a")->not_before == start);
}

TEST_CASE("a revoked key that returns stays retired", "[admin][IAM-1]") {
  auto held = held_since(kNow - std::chrono::hours(2), "a");
  held[0].not_after = kNow - std::chrono::hours(1);
  const auto back = next({jwk("a")}, held, kNow, {{kUrl, "a"}});
  CHECK(back.find("a")->not_after == kNow - std::chrono::hours(1));
  CHECK(back.report.alarms.size() == 1);
}

TEST_CASE("vanishing and returning does not shorten a new key's delay", "[admin][IAM-1]") {
  const auto held = held_since(kNow - std::chrono::hours(1), "a");
  const auto shown = next({jwk("a"), jwk("b")}, held);
  const auto gone = next({jwk("a")}, shown.keys, kNow + std::chrono::minutes(10));
  CHECK(gone.find("b") == nullptr);
  const auto back = next({jwk("a"), jwk("b")}, gone.keys, kNow + std::chrono::minutes(20));
  CHECK(back.find("b")->not_before == kNow + std::chrono::minutes(20) + std::chrono::hours(24));
}

TEST_CASE("another key under a held kid is not taken", "[admin][IAM-1]") {
  const auto swapped = next({jwk("a", "somebody else's")}, held_since(kNow - std::chrono::hours(1), "a"));
  REQUIRE(swapped.keys.size() == 1);
  CHECK(swapped.keys[0].jwk == jwk("a"));
  CHECK(swapped.report.alarms.size() == 1);
}

TEST_CASE("an issuer that changes keys for ever does not fill the bundle", "[admin]") {
  std::vector<IssuerKey> held;
  for (int i = 0; i < 64; ++i) {
    held.push_back(
        *orders::issuer_key(jwk("k" + std::to_string(i), "one"), kNow - std::chrono::days(100), std::nullopt));
    if (i != 5) held.back().not_after = kNow - std::chrono::days(i == 7 ? 90 : 50);
  }
  const auto after = next({jwk("k5", "one"), jwk("new")}, held);
  CHECK(after.keys.size() == 64);
  CHECK(after.find("k7") == nullptr);
  CHECK(after.find("k5") != nullptr);
  CHECK(after.find("new") != nullptr);
}

TEST_CASE("a bundle holds public members only", "[admin]") {
  Report report;
  Json with_more = jwk("a");
  with_more["x5c"] = {"MIIB"};
  with_more["key_ops"] = {"verify"};
  const auto keys = read_jwks(jwks({with_more}), kUrl, report);
  REQUIRE(keys.ok());
  CHECK(keys->front() == jwk("a"));
}

TEST_CASE("a private key that an issuer shows is not taken, and said", "[admin]") {
  Report report;
  Json leaked = jwk("b");
  leaked["d"] = "AAAA";
  const auto keys = read_jwks(jwks({jwk("a"), leaked}), kUrl, report);
  REQUIRE(keys.ok());
  CHECK(keys->size() == 1);
  REQUIRE(report.alarms.size() == 1);
  CHECK(report.alarms[0].find("AAAA") == std::string::npos);
}

TEST_CASE("keys for other purposes are left out", "[admin]") {
  Report report;
  Json for_encryption = jwk("b");
  for_encryption["use"] = "enc";
  const auto keys = read_jwks(jwks({for_encryption, jwk("a"), {{"kty", "OKP"}, {"kid", "c"}}}), kUrl, report);
  REQUIRE(keys.ok());
  CHECK(keys->size() == 1);
  CHECK(report.alarms.empty());
}

TEST_CASE("what is no key set, or an empty one, is refused", "[admin]") {
  for (const std::string text :
       {"", "{}", "[]", "{\"keys\":[]}", "{\"keys\":{}}", "<html>", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\"}]}", "{\"keys\":[],\"keys\":[]}"}) {
    Report report;
    CHECK_FALSE(read_jwks(text, kUrl, report).ok());
  }
}

}  // namespace
}  // namespace tillsyn::admin
