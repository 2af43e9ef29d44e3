#include "relay/http/router.h"

#include <catch2/catch.hpp>

#include "relay/http/admission.h"

using namespace tillsyn;

namespace {

http::Router router_of(std::initializer_list<std::pair<const char*, const char*>> paths) {
  http::Router router;
  for (const auto& [method, pattern] : paths) {
    http::Route route;
    route.method = method;
    route.pattern = pattern;
    router.add(std::move(route));
  }
  return router;
}

}  // namespace

TEST_CASE("a name wins over a parameter, whichever was added first", "[http]") {
  const auto router = router_of({{"GET", "/a/{id}"}, {"GET", "/a/own"}, {"GET", "/a/{id}/b"}});
  CHECK(router.find("GET", "/a/own").endpoint->terms.pattern == "/a/own");
  CHECK(router.find("GET", "/a/other").endpoint->terms.pattern == "/a/{id}");
  CHECK(router.find("GET", "/a/x/b").params.at("id") == "x");
}

TEST_CASE("a parameter is one segment and not empty", "[http]") {
  const auto router = router_of({{"GET", "/a/{id}"}});
  CHECK(router.find("GET", "/a/").endpoint == nullptr);
  CHECK(router.find("GET", "/a/b/c").endpoint == nullptr);
  CHECK(router.find("GET", "/a").endpoint == nullptr);
  // An escaped slash is part of the value, never a border between segments.
  CHECK(router.find("GET", "/a/b%2Fc").params.at("id") == "b/c");
}

TEST_CASE("a path with other methods says which", "[http]") {
  const auto router = router_of({{"GET", "/a"}, {"POST", "/a"}, {"GET", "/b"}});
  CHECK(router.find("PUT", "/a").endpoint == nullptr);
  CHECK(router.find("PUT", "/a").allowed == "GET, POST");
  CHECK(router.find("PUT", "/c").allowed.empty());
}

TEST_CASE("a peer's budget comes back with time", "[http]") {
  http::Limits limits;
  limits.request_burst = 2;
  limits.requests_per_second = 1;
  http::Admission admission(limits);
  const auto start = http::Admission::Clock::now();
  CHECK(admission.allow_request("a", start));
  CHECK(admission.allow_request("a", start));
  CHECK_FALSE(admission.allow_request("a", start));
  CHECK(admission.allow_request("b", start));
  CHECK_FALSE(admission.allow_request("a", start + std::chrono::milliseconds(500)));
  CHECK(admission.allow_request("a", start + std::chrono::milliseconds(1100)));
  CHECK_FALSE(admission.allow_request("a", start + std::chrono::milliseconds(1200)));
}

TEST_CASE("a place is given back when its connection ends", "[http]") {
  http::Limits limits;
  limits.max_handshaking = 1;
  limits.max_hubs = 1;
  http::Admission admission(limits);
  auto first = admission.enter("a");
  REQUIRE(first);
  CHECK_FALSE(admission.enter("b"));
  CHECK(admission.classify(*first, http::Traffic::kHub));
  auto second = admission.enter("b");
  REQUIRE(second);
  CHECK_FALSE(admission.classify(*second, http::Traffic::kHub));
  first.reset();
  CHECK(admission.connections(http::Traffic::kHub) == 0);
  auto third = admission.enter("c");
  REQUIRE(third);
  CHECK(admission.classify(*third, http::Traffic::kHub));
}
