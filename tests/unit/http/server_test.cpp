#include <catch2/catch.hpp>

#include "tests/unit/http/tls_kit.h"

using namespace tillsyn;
using boost::beast::http::field;
using test::Client;
using test::code_of;
using test::RunningServer;

namespace {

http::Route route(const char* method, const char* pattern, http::Caller caller, http::Handler handler) {
  http::Route out;
  out.method = method;
  out.pattern = pattern;
  out.caller = caller;
  out.handler = std::move(handler);
  return out;
}

// What a handler was given, as its answer.
http::ApiResponse echo(const http::ApiRequest& request) {
  return http::json_response({{"params", request.params},
                              {"query", request.query},
                              {"body", request.body},
                              {"bearer", request.bearer.value_or("none")},
                              {"host", request.host},
                              {"key", request.client_key ? to_base64url(*request.client_key) : "none"}});
}

void add_echoes(http::Router& router, http::Executor, http::Workers&) {
  router.add(route("GET", "/echo/{id}", http::Caller::kAnyone, echo));
  router.add(route("POST", "/echo", http::Caller::kAnyone, echo));
  router.add(route("GET", "/staff", http::Caller::kSession, echo));
  router.add(route("GET", "/hub", http::Caller::kHub, echo));
}

Json body_of(const test::Response& response) { return *parse_json(response.body()); }

http::Limits short_times() {
  http::Limits limits;
  limits.handshake = limits.header = limits.body = limits.idle = std::chrono::milliseconds(50);
  return limits;
}

}  // namespace

TEST_CASE("a request reaches its handler with path, query, body and host", "[http]") {
  RunningServer server(add_echoes);
  Client client(server.port());
  const auto got = client.get("/echo/a%20b?x=1&y=%C3%A5", {{"Host", "Relay:443"}});
  CHECK(got.result_int() == 200);
  CHECK(body_of(got)["params"]["id"] == "a b");
  CHECK(body_of(got)["query"] == Json({{"x", "1"}, {"y", "å"}}));
  CHECK(body_of(got)["host"] == "relay:443");
  const auto posted = client.post("/echo", "hello");
  CHECK(body_of(posted)["body"] == "hello");
  CHECK(posted[field::cache_control] == "no-store");
  CHECK(posted["X-Content-Type-Options"] == "nosniff");
  CHECK(posted.count(field::set_cookie) == 0);
}

TEST_CASE("a path or method that is not there is a problem that says so", "[http]") {
  RunningServer server(add_echoes);
  Client client(server.port());
  const auto nowhere = client.get("/nowhere");
  CHECK(nowhere.result_int() == 404);
  CHECK(nowhere[field::content_type] == "application/problem+json");
  CHECK(code_of(nowhere) == "no_such_path");
  const auto wrong = client.post("/echo/1", "");
  CHECK(wrong.result_int() == 405);
  CHECK(wrong[field::allow] == "GET");
}

TEST_CASE("TLS below 1.2 and suites without ECDHE and AEAD are refused", "[http][VID-3]") {
  RunningServer server(add_echoes);
  const auto connect = [&](test::ClientOptions options) { Client client(server.port(), options); };
  CHECK_THROWS(connect({.max_version = TLS1_VERSION}));
  CHECK_THROWS(connect({.max_version = TLS1_1_VERSION}));
  for (const char* weak :
       {"ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0", "AES128-GCM-SHA256:@SECLEVEL=0",
        "NULL-SHA256:@SECLEVEL=0", "ECDHE-ECDSA-AES128-CCM:@SECLEVEL=0"}) {
    CAPTURE(weak);
    CHECK_THROWS(connect({.max_version = TLS1_2_VERSION, .tls12_suites = weak}));
  }
  CHECK_NOTHROW(connect({.max_version = TLS1_2_VERSION}));
  CHECK_NOTHROW(connect({}));
}

TEST_CASE("a hub is the key of its client certificate", "[http][IAM-10]") {
  RunningServer server(add_echoes);
  const test::Identity link;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client hub(server.port(), {.identity = &link, .max_version = version});
    CHECK(body_of(hub.get("/hub"))["key"] == to_base64url(link.point()));
  }
}

TEST_CASE("a client certificate of another kind of key fails the handshake", "[http][IAM-10]") {
  RunningServer server(add_echoes);
  for (const char* type : {"P-384", "RSA"}) {
    CAPTURE(type);
    const test::Identity other(type);
    // With TLS 1.3 the client learns of it when it first reads.
    CHECK_THROWS([&] {
      Client client(server.port(), {.identity = &other});
      client.get("/hub");
    }());
  }
}

TEST_CASE("a hub route without client certificate and a staff route without token are refused", "[http][IAM-10]") {
  RunningServer server(add_echoes);
  Client client(server.port());
  CHECK(code_of(client.get("/hub")) == "no_client_certificate");
  CHECK(code_of(client.get("/staff")) == "no_session");
  CHECK(code_of(client.get("/staff", {{"Authorization", "Basic YTpi"}})) == "no_session");
  CHECK(body_of(client.get("/staff", {{"Authorization", "Bearer abc"}}))["bearer"] == "abc");
}

TEST_CASE("only the staff app's own pages may speak with the relay", "[http][INT-4]") {
  RunningServer server(add_echoes);
  Client client(server.port());
  for (const char* foreign : {"https://evil.example", "null", "https://app.example.evil", "http://app.example"}) {
    CAPTURE(foreign);
    const auto refused = client.get("/echo/1", {{"Origin", foreign}});
    CHECK(refused.result_int() == 403);
    CHECK(code_of(refused) == "foreign_origin");
    CHECK(refused.count(field::access_control_allow_origin) == 0);
  }
  const auto own = client.get("/echo/1", {{"Origin", RunningServer::kAppOrigin}});
  CHECK(own.result_int() == 200);
  CHECK(own[field::access_control_allow_origin] == RunningServer::kAppOrigin);
  CHECK(own.count(field::access_control_allow_credentials) == 0);
}

TEST_CASE("a preflight is answered for the app's origin alone", "[http][INT-4]") {
  RunningServer server(add_echoes);
  Client client(server.port());
  const auto ask = [&](const char* origin, const char* target) {
    return client.send(test::make_request(boost::beast::http::verb::options, target, "",
                                          {{"Origin", origin}, {"Access-Control-Request-Method", "POST"}}));
  };
  const auto good = ask(RunningServer::kAppOrigin, "/echo");
  CHECK(good.result_int() == 204);
  CHECK(good[field::access_control_allow_methods] == "POST");
  CHECK(good[field::access_control_allow_headers] == "Authorization, Content-Type, Idempotency-Key, If-Match");
  CHECK(ask("https://evil.example", "/echo").result_int() == 403);
  CHECK(ask(RunningServer::kAppOrigin, "/nowhere").result_int() == 404);
}

TEST_CASE("headers past 16 KiB are refused", "[http]") {
  RunningServer server(add_echoes);
  Client client(server.port());
  const auto refused = client.get("/echo/1", {{"X-Long", std::string(17 * 1024, 'a')}});
  CHECK(refused.result_int() == 431);
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("a body past the route's limit is refused, announced or not", "[http]") {
  RunningServer server(add_echoes);
  Client announced(server.port());
  CHECK(announced.post("/echo", std::string(http::kDefaultMaxBody, 'a')).result_int() == 200);
  CHECK(code_of(announced.post("/echo", std::string(http::kDefaultMaxBody + 1, 'a'))) == "body_too_large");
  CHECK(announced.is_closed_by_peer());
  Client chunked(server.port());
  chunked.write_raw("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n30000\r\n");
  CHECK(code_of(chunked.read()) == "body_too_large");
}

TEST_CASE("malformed requests get a problem and nothing else", "[http]") {
  RunningServer server(add_echoes);
  for (const char* bad :
       {"GET /echo/1 HTTP/1.0\r\nHost: a\r\n\r\n", "GET /echo/1 HTTP/1.1\r\n\r\n",
        "GET /echo/1?a=1&a=2 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /echo/%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /echo/%00 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /echo/%ff HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/echo/1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /echo/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /echo/1 HTTP/1.1\r\nHost : a\r\n\r\n", "\x16\x03\x01 nonsense\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "GET /echo/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"}) {
    CAPTURE(bad);
    Client client(server.port());
    client.write_raw(bad);
    CHECK(client.read().result_int() == 400);
  }
}

TEST_CASE("who is slow with handshake, header or body is cut off", "[http]") {
  RunningServer server(add_echoes, short_times());
  boost::asio::io_context loop;
  boost::asio::ip::tcp::socket silent(loop);
  silent.connect({boost::asio::ip::address_v4::loopback(), server.port()});
  char byte = 0;
  boost::system::error_code error;
  silent.read_some(boost::asio::buffer(&byte, 1), error);
  CHECK(error);
  for (const char* part :
       {"", "GET /echo/1 HTTP/1.1\r\nHost:", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"}) {
    CAPTURE(part);
    Client client(server.port());
    client.write_raw(part);
    CHECK(client.is_closed_by_peer());
  }
}

TEST_CASE("a peer has so many connections, and the one that has asked nothing longest makes room", "[http][AVA-6]") {
  http::Limits limits;
  limits.max_per_peer = 2;
  RunningServer server(add_echoes, limits);
  Client first(server.port());
  Client second(server.port());
  CHECK(first.get("/echo/1").result_int() == 200);
  Client third(server.port());
  CHECK(third.get("/echo/1").result_int() == 200);
  CHECK(second.is_closed_by_peer());
  CHECK(first.get("/echo/1").result_int() == 200);
}

TEST_CASE("handshakes that are never finished keep nobody out", "[http][AVA-6]") {
  http::Limits limits;
  limits.max_handshaking = 4;
  RunningServer server(add_echoes, limits);
  boost::asio::io_context loop;
  std::vector<boost::asio::ip::tcp::socket> silent;
  for (int i = 0; i < 12; ++i) {
    silent.emplace_back(loop).connect({boost::asio::ip::address_v4::loopback(), server.port()});
  }
  Client client(server.port());
  CHECK(client.get("/echo/1").result_int() == 200);
}

TEST_CASE("when a provider's staff connections are full, other providers and hubs are served", "[http][AVA-6]") {
  http::Limits limits;
  limits.max_staff_of_provider = 1;
  RunningServer server(add_echoes, limits);
  const test::Identity link;
  Client first(server.port());
  CHECK(first.get("/echo/1", {{"Authorization", "Bearer nord1"}}).result_int() == 200);
  Client other(server.port());
  CHECK(other.get("/echo/1", {{"Authorization", "Bearer syd1"}}).result_int() == 200);
  Client second(server.port());
  const auto refused = second.get("/echo/1", {{"Authorization", "Bearer nord2"}});
  CHECK(refused.result_int() == 503);
  CHECK(code_of(refused) == "overloaded");
  CHECK(refused.count(field::retry_after) == 1);
  CHECK(second.is_closed_by_peer());
  Client hub(server.port(), {.identity = &link});
  CHECK(hub.get("/hub").result_int() == 200);
}

TEST_CASE("a peer's requests are rationed", "[http]") {
  http::Limits limits;
  limits.request_burst = 2;
  limits.requests_per_second = 0;
  RunningServer server(add_echoes, limits);
  Client client(server.port());
  CHECK(client.get("/echo/1").result_int() == 200);
  CHECK(client.get("/echo/1").result_int() == 200);
  const auto refused = client.get("/echo/1");
  CHECK(refused.result_int() == 429);
  CHECK(code_of(refused) == "too_many_requests");
}

TEST_CASE("a caller's requests are rationed, and a provider's, each apart from others'", "[http][AVA-6]") {
  http::Limits limits;
  limits.request_burst = 2;
  limits.provider_request_burst = 3;
  limits.requests_per_second = limits.provider_requests_per_second = 0;
  RunningServer server(add_echoes, limits);
  Client client(server.port());
  const auto status = [&](const char* token) {
    return client.get("/staff", {{"Authorization", std::string("Bearer ") + token}}).result_int();
  };
  CHECK(status("nord1") == 200);
  CHECK(status("nord1") == 200);
  CHECK(status("nord1") == 429);
  CHECK(status("nord2") == 200);
  CHECK(status("nord3") == 429);
  CHECK(status("syd1") == 200);
  CHECK(status("made-up") == 200);
  CHECK(status("another") == 200);
  CHECK(status("a-third") == 429);  // strangers count by where they come from
}

TEST_CASE("requests sent one behind the other are answered in order", "[http]") {
  RunningServer server(add_echoes);
  Client client(server.port());
  client.write_raw("GET /echo/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /echo/2 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(body_of(client.read())["params"]["id"] == "1");
  CHECK(body_of(client.read())["params"]["id"] == "2");
}

TEST_CASE("a server without readable certificate and key does not start", "[http]") {
  const test::Identity one;
  const test::Identity two;
  CHECK_FALSE(http::make_tls_context("/nonexistent", one.key_file()).ok());
  CHECK_FALSE(http::make_tls_context(one.certificate_file(), "/nonexistent").ok());
  CHECK_FALSE(http::make_tls_context(one.certificate_file(), two.key_file()).ok());
}
