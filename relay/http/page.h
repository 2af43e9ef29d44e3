#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "relay/http/api.h"

// Long lists are read in pages: at most `limit` items, and `next`, a cursor for the page that follows, null on the
// last.
//
// A cursor is the *place* of the last item that was shown: a text by which the list is sorted, bytewise, and which the
// item keeps. So a list that grows or shrinks meanwhile shows what stays in it exactly once.
// Threads: everything in this header is reentrant.
namespace tillsyn::http {

inline constexpr std::size_t kDefaultPage = 500;
inline constexpr std::size_t kLongestPage = 1000;

struct PageAsked {
  std::size_t limit = kDefaultPage;
  std::string after;  // a place; empty: from the list's beginning
};

// Reads `limit` and `cursor`. kMalformed.
Result<PageAsked> page_asked(const ApiRequest& request);

// The place of what is sorted by a number, and the number in such a cursor (nullopt: from the beginning). kMalformed.
std::string place_of_number(std::uint64_t number);
Result<std::optional<std::uint64_t>> number_after(const PageAsked& asked);

// Takes a list's items, by their places, and keeps those that the page shows.
class Page {
 public:
  explicit Page(PageAsked asked) : asked_(std::move(asked)) {}

  // `item` is called only if it is shown. False: the page is full, nothing more is taken.
  bool add(const std::string& place, const std::function<Json()>& item);

  // {"items","next"}.
  Json json() &&;

 private:
  PageAsked asked_;
  Json items_ = Json::array();
  std::string last_;
  bool has_more_ = false;
};

}  // namespace tillsyn::http
