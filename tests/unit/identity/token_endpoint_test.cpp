#include "relay/identity/token_endpoint.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "common/crypto/jws.h"
#include "tests/fakes/order_maker.h"
#include "tests/fakes/tls_relay.h"

namespace tillsyn::identity {
namespace {

const Instant kNow = *parse_instant("2026-11-22T20:15:00Z");
constexpr const char* kOrigin = "https://app.solna.example";

// Percent-decoding of a form, as an identity provider does it.
std::map<std::string, std::string> form_of(const std::string& body) {
  std::map<std::string, std::string> out;
  std::string name;
  std::string text;
  const auto flush = [&] {
    out[name] = text;
    name.clear();
    text.clear();
  };
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '=') {
      name = std::move(text);
      text.clear();
    } else if (body[i] == '&') {
      flush();
    } else if (body[i] == '%') {
      text.push_back(static_cast<char>(std::stoi(body.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    } else {
      text.push_back(body[i]);
    }
  }
  flush();
  return out;
}

// An identity provider's token endpoint on loopback, over TLS of a CA of its own; codes are good once.
struct Issuer {
  Issuer()
      : server([this](const test::SeenRequest& request) { return answer(request); },
               [](test::TlsPeer&, const test::SeenRequest&) {}),
        maker(kNow),
        key(crypto::P256PrivateKey::generate()),
        public_key(key.public_key()),
        endpoint(std::move(key)) {
    auto& issuer = maker.root_list.issuers[0];
    issuer.token_endpoint = "https://" + server.host() + "/token";
    issuer.ca = server.ca_pem();
    use();
  }

  void use() { endpoint.use(std::make_shared<const orders::RootList>(maker.root_list)); }

  test::GivenReply answer(const test::SeenRequest& request) {
    seen = form_of(request.body);
    ++asked;
    if (!codes.insert(seen["code"]).second) return {400, R"({"error":"invalid_grant"})"};
    return reply;
  }

  Json request() const {
    return {{"issuer", maker.issuers[0].url()},
            {"code", "a+b/c=&d"},
            {"code_verifier", std::string(43, 'v')},
            {"redirect_uri", std::string(kOrigin) + "/callback.html"}};
  }
  Result<std::string> exchange(const Json& body) const { return endpoint.exchange(body.dump(), kNow); }

  test::GivenReply reply{200, R"({"id_token":"a.b.c","access_token":"secret","expires_in":300,"token_type":"Bearer"})"};
  std::set<std::string> codes;
  std::map<std::string, std::string> seen;
  int asked = 0;
  test::TlsRelay server;
  fakes::OrderMaker maker;
  crypto::P256PrivateKey key;
  crypto::P256PublicKey public_key;
  TokenEndpoint endpoint;
};

TEST_CASE("a code is exchanged under the relay's own assertion, and the ID token alone comes back",
          "[identity][IAM-1]") {
  Issuer issuer;
  const auto token = issuer.exchange(issuer.request());
  REQUIRE(token.ok());
  CHECK(*token == "a.b.c");
  CHECK(issuer.seen["grant_type"] == "authorization_code");
  CHECK(issuer.seen["code"] == "a+b/c=&d");
  CHECK(issuer.seen["code_verifier"] == std::string(43, 'v'));
  CHECK(issuer.seen["redirect_uri"] == std::string(kOrigin) + "/callback.html");
  CHECK(issuer.seen["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");

  const Json jwk = issuer.endpoint.client_jwks()["keys"][0];
  CHECK_FALSE(jwk.contains("d"));
  const auto key = crypto::VerificationKey::from_jwk(jwk);
  REQUIRE(key.ok());
  const auto assertion = crypto::verify_jws(issuer.seen["client_assertion"], {{jwk["kid"].get<std::string>(), *key}});
  REQUIRE(assertion.ok());
  const Json claims = Json::parse(assertion->payload);
  CHECK(claims["iss"] == "tillsyn");
  CHECK(claims["sub"] == "tillsyn");
  CHECK(claims["aud"] == issuer.maker.issuers[0].url());
  CHECK(claims["exp"].get<std::int64_t>() - claims["iat"].get<std::int64_t>() == 60);
}

TEST_CASE("a code used twice is refused", "[identity][IAM-1]") {
  Issuer issuer;
  REQUIRE(issuer.exchange(issuer.request()).ok());
  CHECK(issuer.exchange(issuer.request()).error().reason == "code_refused");
}

TEST_CASE("nothing leaves for an issuer or a redirect that is not listed", "[identity][IAM-1]") {
  Issuer issuer;
  Json body = issuer.request();
  std::string expected = "wrong_redirect";
  SECTION("another issuer") {
    body["issuer"] = "https://id.evil.example";
    expected = "unknown_issuer";
  }
  SECTION("another origin") { body["redirect_uri"] = "https://evil.example/callback.html"; }
  SECTION("an origin that only begins alike") {
    body["redirect_uri"] = std::string(kOrigin) + ".evil.example/callback.html";
  }
  SECTION("an origin with a user name") { body["redirect_uri"] = std::string(kOrigin) + "@evil.example/"; }
  SECTION("the app of a provider without this issuer") {
    issuer.maker.root_list.providers[0].issuers.erase(issuer.maker.root_list.providers[0].issuers.begin());
    issuer.use();
  }
  SECTION("a member too many") {
    body["client_secret"] = "x";
    expected = "malformed";
  }
  SECTION("a verifier that is far too long") {
    body["code_verifier"] = std::string(129, 'v');
    expected = "malformed";
  }
  const auto refused = issuer.exchange(body);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == expected);
  CHECK(issuer.asked == 0);
}

TEST_CASE("an issuer whose certificate its own CA has not signed is not spoken to", "[identity][IAM-10]") {
  Issuer issuer;
  auto& listed = issuer.maker.root_list.issuers[0];
  SECTION("another CA") {
    test::TlsRelay other([](const test::SeenRequest&) { return test::GivenReply{}; },
                         [](test::TlsPeer&, const test::SeenRequest&) {});
    listed.ca = other.ca_pem();
  }
  SECTION("the system's") { listed.ca = std::nullopt; }
  SECTION("another name") { listed.token_endpoint = "https://127.0.0.2:" + issuer.server.port() + "/token"; }
  SECTION("without TLS") { listed.token_endpoint = "http://" + issuer.server.host() + "/token"; }
  issuer.use();
  CHECK(issuer.exchange(issuer.request()).error().reason == "issuer_unreachable");
  CHECK(issuer.asked == 0);
}

TEST_CASE("an answer that is not an ID token is said to be none", "[identity]") {
  Issuer issuer;
  std::string expected = "bad_id_token";
  SECTION("no JSON") { issuer.reply = {200, "<html>"}; }
  SECTION("no token") { issuer.reply = {200, R"({"access_token":"x"})"}; }
  SECTION("a token that is no text") { issuer.reply = {200, R"({"id_token":1})"}; }
  SECTION("a token twice") { issuer.reply = {200, R"({"id_token":"a","id_token":"b"})"}; }
  SECTION("a token that is far too long") {
    issuer.reply = {200, R"({"id_token":")" + std::string(20000, 'x') + "\"}"};
  }
  SECTION("an endless answer") {
    issuer.reply = {200, std::string(70 * 1024, ' ')};
    expected = "issuer_unreachable";
  }
  SECTION("a redirect") {
    issuer.reply = {302, "{}"};
    expected = "code_refused";
  }
  SECTION("a fault of the issuer's") {
    issuer.reply = {500, "{}"};
    expected = "issuer_unreachable";
  }
  CHECK(issuer.exchange(issuer.request()).error().reason == expected);
}

TEST_CASE("before there is a root list nobody is asked", "[identity]") {
  TokenEndpoint endpoint(crypto::P256PrivateKey::generate());
  CHECK(endpoint.exchange(R"({"issuer":"https://i","code":"c","code_verifier":"v","redirect_uri":"https://r/"})", kNow)
            .error()
            .reason == "bundle_missing");
}

}  // namespace
}  // namespace tillsyn::identity
