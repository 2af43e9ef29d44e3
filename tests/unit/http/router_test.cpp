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
