#include "common/orders/consent_bounds.h"

#include "common/orders/refusals.h"

namespace tillsyn::orders {
namespace {

using std::chrono::minutes;

constexpr minutes kDay{1440};

bool is_permitted(const PermittedHours& permitted, const civil::DayWindow& window) {
  if (permitted.length == kDay) return true;
  const minutes since_start = (window.start - permitted.start + kDay) % kDay;
  return since_start + window.length <= permitted.length;
}

// The windows of one date against the terms.
class DayCount {
 public:
  explicit DayCount(const ConsentTerms& terms) : terms_(terms) {}

  void add(const civil::DayWindow& window) {
    ++windows_;
    minutes_ += window.length.count();
    all_permitted_ = all_permitted_ && is_permitted(terms_.permitted, window);
  }

  bool is_within() const {
    return all_permitted_ && windows_ <= terms_.supervisions_per_day && minutes_ <= terms_.max_minutes_per_day;
  }

 private:
  const ConsentTerms& terms_;
  std::int64_t windows_ = 0;
  std::int64_t minutes_ = 0;
  bool all_permitted_ = true;
};

bool is_weekday_within(const ConsentTerms& terms, const civil::Schedule& schedule, unsigned day) {
  DayCount count(terms);
  for (const auto& week : schedule.windows) {
    if ((week.days >> day & 1u) != 0) count.add(week.window);
  }
  return count.is_within();
}

bool is_exception_within(const ConsentTerms& terms, const civil::Exception& exception) {
  DayCount count(terms);
  for (const auto& window : exception.windows) count.add(window);
  return count.is_within();
}

}  // namespace

Result<void> check_within(const ConsentTerms& terms, const civil::Schedule& schedule) {
  if (schedule.timezone != terms.timezone) return refuse("beyond_consent", "another time zone");
  for (unsigned day = 0; day < 7; ++day) {
    if (!is_weekday_within(terms, schedule, day)) return refuse("beyond_consent");
  }
  for (const auto& exception : schedule.exceptions) {
    if (!is_exception_within(terms, exception)) return refuse("beyond_consent");
  }
  return {};
}

}  // namespace tillsyn::orders
