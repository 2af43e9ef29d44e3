#include "relay/http/page.h"

#include <catch2/catch.hpp>
#include <set>

namespace tillsyn::http {
namespace {

using List = std::set<std::string>;

ApiRequest asking(std::map<std::string, std::string> query) {
  ApiRequest request;
  request.query = std::move(query);
  return request;
}

Json page_of(const List& list, const std::map<std::string, std::string>& query) {
  const auto asked = page_asked(asking(query));
  REQUIRE(asked.ok());
  Page page(*asked);
  for (const auto& one : list) page.add(one, [&] { return Json(one); });
  return std::move(page).json();
}

std::map<std::string, std::string> after(const Json& page, const std::string& limit) {
  return {{"limit", limit}, {"cursor", page["next"].get<std::string>()}};
}

TEST_CASE("a list is read in pages of at most the limit, and next is null on the last", "[http][INT-1]") {
  const List list = {"a", "b", "c", "d"};
  const auto first = page_of(list, {{"limit", "3"}});
  CHECK(first["items"] == Json({"a", "b", "c"}));
  const auto last = page_of(list, after(first, "3"));
  CHECK(last["items"] == Json({"d"}));
  CHECK(last["next"].is_null());
  CHECK(page_of(list, {{"limit", "4"}})["next"].is_null());  // no page with nothing in it
  CHECK(page_of({}, {}) == Json{{"items", Json::array()}, {"next", nullptr}});
}

TEST_CASE("what stays in a list comes once, whatever is added or taken away meanwhile", "[http][INT-1]") {
  List list = {"b", "d", "f", "h"};
  const auto first = page_of(list, {{"limit", "2"}});
  list.insert({"a", "c", "e"});
  list.erase("d");  // the very one that the cursor names
  const auto second = page_of(list, after(first, "2"));
  CHECK(second["items"] == Json({"e", "f"}));
  CHECK(page_of(list, after(second, "2"))["items"] == Json({"h"}));
}

TEST_CASE("a giant list is bounded though nobody asks for it", "[http][AVA-6]") {
  List list;
  for (std::uint64_t n = 0; n < 2 * kLongestPage; ++n) list.insert(place_of_number(n));
  CHECK(page_of(list, {})["items"].size() == kDefaultPage);
  CHECK(page_of(list, {{"limit", "1000"}})["items"].size() == kLongestPage);
}

TEST_CASE("a limit or cursor of another form is malformed", "[http][INT-1]") {
  for (const char* limit : {"0", "1001", "-1", "1.5", "", "x", "99999999999999999999"}) {
    INFO(limit);
    CHECK(page_asked(asking({{"limit", limit}})).error().code == Code::kMalformed);
  }
  for (const std::string& cursor : {std::string(), std::string("!"), to_base64url(Bytes(257, 'a'))}) {
    INFO(cursor);
    CHECK(page_asked(asking({{"cursor", cursor}})).error().code == Code::kMalformed);
  }
}

TEST_CASE("places of numbers sort as the numbers do, and are read back", "[http]") {
  CHECK(place_of_number(9) < place_of_number(10));
  CHECK(place_of_number(0) > "");
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{12}, (std::uint64_t{1} << 53) - 1}) {
    CHECK(**number_after({1, place_of_number(n)}) == n);
  }
  CHECK_FALSE(number_after({1, ""})->has_value());
  for (const char* place : {"12", "000000000000001x", "-000000000000001", "00000000000000012"}) {
    INFO(place);
    CHECK(number_after({1, place}).error().code == Code::kMalformed);
  }
}

}  // namespace
}  // namespace tillsyn::http
