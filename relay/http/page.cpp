#include "relay/http/page.h"

#include <algorithm>
#include <charconv>

namespace tillsyn::http {
namespace {

constexpr std::size_t kPlaceDigits = 16;  // of 2^53 − 1
constexpr std::size_t kMaxPlaceBytes = 256;

Result<std::uint64_t> read_number(const std::string& text, const std::string& wrong) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return malformed("malformed", wrong);
  return value;
}

Error wrong_cursor() {
  return {Code::kMalformed, "malformed", "cursor must be the next that this listing gave, with the same query"};
}

Result<std::size_t> limit_in(const ApiRequest& request) {
  const auto given = request.query.find("limit");
  if (given == request.query.end()) return kDefaultPage;
  const std::string wrong = "limit must be 1 to " + std::to_string(kLongestPage);
  TILLSYN_TRY(limit, read_number(given->second, wrong));
  if (limit == 0 || limit > kLongestPage) return malformed("malformed", wrong);
  return static_cast<std::size_t>(limit);
}

}  // namespace

Result<PageAsked> page_asked(const ApiRequest& request) {
  TILLSYN_TRY(limit, limit_in(request));
  const auto given = request.query.find("cursor");
  if (given == request.query.end()) return PageAsked{limit, {}};
  const auto place = from_base64url(given->second);
  if (!place || place->empty() || place->size() > kMaxPlaceBytes) return wrong_cursor();
  return PageAsked{limit, text_of(*place)};
}

std::string place_of_number(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kPlaceDigits - std::min(kPlaceDigits, digits.size()), '0') + digits;
}

Result<std::optional<std::uint64_t>> number_after(const PageAsked& asked) {
  if (asked.after.empty()) return std::optional<std::uint64_t>();
  if (asked.after.size() != kPlaceDigits) return wrong_cursor();
  TILLSYN_TRY(number, read_number(asked.after, wrong_cursor().message));
  return std::optional(number);
}

bool Page::add(const std::string& place, const std::function<Json()>& item) {
  if (place <= asked_.after) return true;
  has_more_ = items_.size() == asked_.limit;
  if (has_more_) return false;
  items_.push_back(item());
  last_ = place;
  return true;
}

Json Page::json() && {
  return {{"items", std::move(items_)}, {"next", has_more_ ? Json(to_base64url(view_of(last_))) : Json()}};
}

}  // namespace tillsyn::http
