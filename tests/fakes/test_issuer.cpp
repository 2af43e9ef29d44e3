#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <memory>

#include "tests/fakes/order_maker.h"

namespace tillsyn::fakes {
namespace {

// Made for these tests and published with them: it protects nothing.
constexpr const char* kRsaKey = R"(-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDM9NXGdazP/CqJ
bDg7LJOHBKTqG64sg/FoOMu8nV4Wqf0kvhUz3LOsxLkq2Yo+SC+U5ZLI6im4BprO
powkRFcZVLzQQPUpuqNThauwP0RkToK1FMrz8HziTNFz5+UkxiYRQ5ZhICx8zf7n
lKs4p/mmV/sVqQDH/1z4M2Ug1qrcn9I+A0s4Y2+q+07YstADbwcDXXVONfskqOuE
7AGRjY2dYsJi7G1n46RYwmR5XpHuYgqlsaiPeCI7zGXCoXxm8wm8WswZdo0/cQf3
+Lhr7W3xFT2bUS1z18sX9V7cqzGb3XIxnGv3ZIwUYODHNMuUV1a2jS8JfAHHQgsA
+oGg+C+/AgMBAAECggEARnawXnRLjw/3gdqSdImtSMCogBI3LffI0deg9/40gF89
+Flfib6JiU7zCE/VLvd7YFoTPn7/C9U9eOmaicdzGHLhHUoP36Jaj5cHwWbm+QNi
/aWh5v8ZuGXHpu0lgyCaqtnNRCQfF2NtDSo4OZjKhE2ANeCuM5RQXsawsHsNMB8m
oxAYDsJQCfxvERShZix5jya0cxGNfA2V7PnGaQIPwFdJfenE+kQXT/a2sJEdbkwo
n1XABDSZvCPgX4jfGlero8/WnBIlHmXTxZgrXCl4hVJ3MeFWtXP6FvLONzJFZHEx
s7/OaCuxvJ8UJfuQPuQxKsVJ/dFF9Td0V+v4FGuCVQKBgQDwsqx1TZF+b66OKAqw
NFBIGBR7F9dRAMwuqA+e0UlZhqRa58k7lr2X+Y9eqAoO2zbll2zTJ+5xIKrEV2he
oC8sw1zwdUXZldBYcPgKiyHbUlXh6edt6H2rrTmgInlsUPigXwIjZrMCC1ZUMBg/
tWzBuU0C8BucIwX1/xH6G3GsCwKBgQDZ/Hjv2MMJr0bDrwqGIuSCAyi21sykKCf/
v9cjSrGwbyw63zz/p2eCRIhfEVP9SL6SVZPSsfTv7EvlhGjbejvuERclC7d612ZL
icC9pQW3DHJOtUl/HRDgwFoZaAlw0f8xzvMhqwjspafEGRbCtZgLAtjN/kOdQg1V
PM4BTKQnnQKBgD0lluxB5WlSY+zXPUfgMljuTR2sQ9XfNv/PUBCPqGum6c/yPEv4
EnguPP7V/6AgjoSrAElwRoHUw60Xa3tGhFWB1/V6RWFuTrx5DnpXOCWoeArpShLA
0lQvsIj+2QvsUg0jtb5ak7U8PhUrFq3woA1izq6lYs46k4QX5XA9UpZbAoGBAJFz
5/aSusGxlRRprioHCla+aOJnvbEjol0C0zkXVC2YYPj/kKI+P9EqjZxx4Ys2iQL3
22VRnVCiaZpCmf0pOOgHu1vaz5lGNVneFx/0BzY3NebTDLGm4WY2s2gUhYgkd5Xy
s0UZ7SCLAMDWxNszdLqUMbpyGQfL1T21DvjK/RX5AoGBAOnIE1gU/9u1TJN2xd2H
/884oMOKe10VGSkZdg8/Zi1FhGEur1aDXPKGHHxyveuqu6fHIUbTWJvq0AKB70el
cKAsHGn8SsYxL54Q1dkErNCd4uxRxzLaZEPH5ivH790LeMj5btOUCLtt39xabISo
EFnJ1ljJJsw9n+NUcUzpl/db
-----END PRIVATE KEY-----
)";

template <typename T, void (*kFree)(T*)>
using Owned = std::unique_ptr<T, decltype([](T* handle) { kFree(handle); })>;
using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedDigest = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using OwnedNumber = Owned<BIGNUM, BN_free>;

OwnedKey rsa_key() {
  const Owned<BIO, BIO_free_all> bio(BIO_new_mem_buf(kRsaKey, -1));
  return OwnedKey(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

Bytes rs256(std::string_view input) {
  const OwnedKey key = rsa_key();
  const OwnedDigest digest(EVP_MD_CTX_new());
  const ByteView bytes = view_of(input);
  std::size_t size = 0;
  if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1) std::abort();
  if (EVP_DigestSign(digest.get(), nullptr, &size, bytes.data(), bytes.size()) != 1) std::abort();
  Bytes out(size);
  if (EVP_DigestSign(digest.get(), out.data(), &size, bytes.data(), bytes.size()) != 1) std::abort();
  out.resize(size);
  return out;
}

std::string rsa_number(const char* name) {
  const OwnedKey key = rsa_key();
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &raw) != 1) std::abort();
  const OwnedNumber number(raw);
  Bytes out(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), out.data());
  return to_base64url(out);
}

std::string part(const Json& value) { return to_base64url(view_of(canonical_json(value))); }

}  // namespace

TestIssuer::TestIssuer(std::string url, Algorithm algorithm, std::string kid, std::string key_name)
    : url_(std::move(url)), algorithm_(algorithm), kid_(std::move(kid)), key_name_(std::move(key_name)) {}

Json TestIssuer::jwk() const {
  Json out = {{"kty", "RSA"}, {"alg", "RS256"}};
  if (algorithm_ == Algorithm::kRs256) {
    out["n"] = rsa_number(OSSL_PKEY_PARAM_RSA_N);
    out["e"] = rsa_number(OSSL_PKEY_PARAM_RSA_E);
  } else {
    out = p256_key(key_name_).public_key().to_jwk();
    out["alg"] = "ES256";
  }
  out["kid"] = kid_;
  out["use"] = "sig";
  return out;
}

orders::IssuerKey TestIssuer::key(Instant not_before) const {
  return *orders::issuer_key(jwk(), not_before, std::nullopt);
}

orders::Issuer TestIssuer::listed() const {
  orders::Issuer out;
  out.issuer = url_;
  out.client_id = "tillsyn";
  out.authorization_endpoint = url_ + "/authorize";
  out.token_endpoint = url_ + "/token";
  out.jwks_uri = url_ + "/jwks";
  out.acr = {"http://id.sambi.se/loa/loa3"};
  out.person_claim = "sub";
  out.max_auth_age = std::chrono::hours(12);
  out.new_key_delay = std::chrono::hours(24);
  for (const auto role : {orders::Role::kOperator, orders::Role::kPlanner, orders::Role::kCareManager,
                          orders::Role::kManager, orders::Role::kRightsAdmin, orders::Role::kInstaller,
                          orders::Role::kTechnician, orders::Role::kLogReviewer, orders::Role::kSystemAdmin}) {
    out.roles.push_back(role);
  }
  return out;
}

Bytes TestIssuer::signature_over(std::string_view input) const {
  if (algorithm_ == Algorithm::kRs256) return rs256(input);
  const auto signature = p256_key(key_name_).sign(view_of(input));
  return {signature.begin(), signature.end()};
}

std::string TestIssuer::sign(const Json& claims, const Json& header) const {
  Json full = {{"alg", algorithm_ == Algorithm::kRs256 ? "RS256" : "ES256"}, {"kid", kid_}, {"typ", "JWT"}};
  full.update(header);
  const std::string input = part(full) + "." + part(claims);
  return input + "." + to_base64url(signature_over(input));
}

}  // namespace tillsyn::fakes
