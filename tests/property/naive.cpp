#include "tests/property/naive.h"

#include <algorithm>

namespace tillsyn::property {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

int weekday(std::int64_t day) {
  return static_cast<int>(((day + 3) % 7 + 7) % 7);
}  // 0 Monday; 1970-01-01 was a Thursday

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

std::int64_t day_of(int year, int month, int date) {
  static constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  std::int64_t days = 0;
  for (int y = 1970; y < year; ++y) days += is_leap(y) ? 366 : 365;
  for (int m = 1; m < month; ++m) days += kLengths[m - 1] + (m == 2 && is_leap(year) ? 1 : 0);
  return days + date - 1;
}

int year_of(Ms utc) {
  int year = 1970;
  while (day_of(year + 1, 1, 1) * kDay <= utc) ++year;
  return year;
}

// 01:00 UTC on the last Sunday of a month of 31 days.
Ms last_sunday(int year, int month) {
  std::int64_t day = day_of(year, month, 31);
  while (weekday(day) != 6) --day;
  return day * kDay + kHour;
}

}  // namespace

Ms local_offset(Ms utc) {
  const int year = year_of(utc);
  return last_sunday(year, 3) <= utc && utc < last_sunday(year, 10) ? 2 * kHour : kHour;
}

std::int64_t local_day(Ms utc) { return floor_div(utc + local_offset(utc), kDay); }

int local_minute(Ms utc) { return static_cast<int>((utc + local_offset(utc) - local_day(utc) * kDay) / kMinute); }

// What exists twice is the first (summer's), what does not exist is reckoned with the offset from before (winter's).
Ms instant_of(std::int64_t day, int minute) {
  const Ms wall = day * kDay + minute * kMinute;
  return local_offset(wall - 2 * kHour) == 2 * kHour ? wall - 2 * kHour : wall - kHour;
}

std::vector<Window> Plan::on(std::int64_t day) const {
  if ((valid_from && day < *valid_from) || (valid_to && *valid_to < day)) return {};
  if (const auto found = exceptions.find(day); found != exceptions.end()) return found->second;
  std::vector<Window> out;
  for (const Window& window : week)
    if ((window.days >> weekday(day) & 1u) != 0) out.push_back(window);
  return out;
}

bool Plan::is_open(Ms utc) const {
  for (std::int64_t day = local_day(utc) - 2; day <= local_day(utc) + 1; ++day) {
    for (const Window& window : on(day)) {
      const Ms start = instant_of(day, window.start);
      if (start <= utc && utc < start + window.minutes * kMinute) return true;
    }
  }
  return false;
}

std::vector<Ms> Plan::edges(Ms from, Ms to) const {
  std::vector<Ms> out;
  for (std::int64_t day = local_day(from) - 2; day <= local_day(to) + 1; ++day) {
    for (const Window& window : on(day)) {
      const Ms start = instant_of(day, window.start);
      for (const Ms edge : {start, start + window.minutes * kMinute})
        if (from < edge && edge < to) out.push_back(edge);
    }
  }
  return out;
}

// Minute by minute, as somebody would who ticks them off.
bool Terms::cover(const Plan& plan) const {
  const auto is_permitted = [&](const Window& window) {
    for (int i = 0; i < window.minutes; ++i)
      if ((window.start + i - permitted_start + 2 * 1440) % 1440 >= permitted_minutes) return false;
    return true;
  };
  const auto is_day_covered = [&](const std::vector<Window>& windows) {
    int minutes = 0;
    for (const Window& window : windows) minutes += window.minutes;
    return windows.size() <= per_day && minutes <= minutes_per_day && std::ranges::all_of(windows, is_permitted);
  };
  for (unsigned day = 0; day < 7; ++day) {
    std::vector<Window> windows;
    for (const Window& window : plan.week)
      if ((window.days >> day & 1u) != 0) windows.push_back(window);
    if (!is_day_covered(windows)) return false;
  }
  return std::ranges::all_of(plan.exceptions, [&](const auto& entry) { return is_day_covered(entry.second); });
}

void Naive::press() {
  if (held(Slot::kAssignment) == nullptr && !resident_paused_) return;
  resident_paused_ = !resident_paused_;
  held_at_.reset();
}

const Made* Naive::held(Slot slot) const {
  const auto found = slots_.find(slot);
  return found == slots_.end() ? nullptr : found->second.get();
}

void Naive::deliver(const MadePtr& made, std::optional<Ms> now, Ms boot) {
  if (taken_.contains(made->hash)) return;
  const auto is_same = [&](const MadePtr& other) { return other->hash == made->hash; };
  if (std::ranges::none_of(waiting_, is_same)) waiting_.push_back(made);
  settle(now, boot);
}

void Naive::deliver(const TrustMade& next, std::optional<Ms> now, Ms wall) {
  if (bundle && next.counter <= bundle->counter) return;
  if (next.issued_at <= wall + kMinute) {
    bundle = next;
  } else if (!now) {
    waiting_bundle_ = next;
  }
}

void Naive::settle(std::optional<Ms> now, Ms boot) {
  if (now && waiting_bundle_) {
    const auto next = *waiting_bundle_;
    waiting_bundle_.reset();
    deliver(next, now, *now);
  }
  for (bool again = true; again;) {
    again = false;
    std::vector<MadePtr> still;
    for (const auto& made : waiting_) {
      const Verdict verdict = judge(*made, now, boot);
      if (verdict == Verdict::kWait) still.push_back(made);
      if (verdict == Verdict::kTake) take(made), again = true;
    }
    waiting_ = still;
  }
}

void Naive::take(const MadePtr& made) {
  taken_.insert(made->hash);
  slots_[made->slot] = made;
  if (made->slot == Slot::kAssignment) held_at_.reset();
}

Naive::Verdict Naive::judge(const Made& made, std::optional<Ms> now, Ms boot) const {
  const bool names_hub = made.slot == Slot::kAssignment || made.slot == Slot::kAcceptance;
  if (!now || !bundle || *now >= root_list_expires_at || *now >= bundle->expires_at) return Verdict::kWait;
  if (!made.is_sound || (names_hub && bundle->hub_revoked)) return Verdict::kDrop;
  if (!made.closes && *now - made.signed_at > 10 * kHour) return Verdict::kWait;
  if (const Verdict verdict = judge_version(made); verdict != Verdict::kTake) return verdict;
  if (const Verdict verdict = judge_relations(made); verdict != Verdict::kTake) return verdict;
  const bool is_there = held_at_ && boot - *held_at_ < 120 * kSecond;
  return made.slot == Slot::kAssignment && !is_there ? Verdict::kWait : Verdict::kTake;
}

Naive::Verdict Naive::judge_version(const Made& made) const {
  const Made* here = held(made.slot);
  if (here == nullptr) return Verdict::kTake;
  if (made.closes) {
    const bool outranked = here->version > made.version || (here->version == made.version && here->closes);
    return outranked ? Verdict::kDrop : Verdict::kTake;
  }
  if (made.version > here->version + 1) return Verdict::kWait;
  return made.version == here->version + 1 && made.replaces == here->hash ? Verdict::kTake : Verdict::kDrop;
}

Naive::Verdict Naive::judge_relations(const Made& made) const {
  const Made* assignment = held(Slot::kAssignment);
  const Made* consent = held(Slot::kConsent);
  if (made.slot == Slot::kAcceptance && (assignment == nullptr || assignment->hash != made.assignment))
    return Verdict::kWait;
  if (made.slot != Slot::kSchedule) return Verdict::kTake;
  if (consent == nullptr) return Verdict::kWait;
  return consent->terms && consent->terms->cover(*made.plan) ? Verdict::kTake : Verdict::kDrop;
}

std::string Naive::closed(std::optional<Ms> now) const {
  if (!now) return "clock";
  if (!bundle || *now >= bundle->expires_at) return "bundle";
  if (*now >= root_list_expires_at) return "root list";
  if (bundle->hub_revoked) return "hub revoked";
  if (resident_paused_) return "resident";
  const Made* assignment = held(Slot::kAssignment);
  const Made* acceptance = held(Slot::kAcceptance);
  const Made* consent = held(Slot::kConsent);
  const Made* schedule = held(Slot::kSchedule);
  if (assignment == nullptr || acceptance == nullptr || acceptance->assignment != assignment->hash) return "acceptance";
  if (consent == nullptr || !consent->terms || !consent->terms->hold_on(local_day(*now))) return "consent";
  if (schedule == nullptr || !consent->terms->cover(*schedule->plan)) return "schedule";
  return schedule->plan->is_open(*now) ? "" : "window";
}

std::string Naive::closed_to_operator(std::optional<Ms> now) const {
  if (const auto reason = closed(now); !reason.empty()) return reason;
  if (bundle->operator_revoked_from && *bundle->operator_revoked_from <= *now) return "operator";
  const Made* grant = held(Slot::kOperator);
  const bool has_right = grant != nullptr && grant->right && grant->right->first <= *now && *now < grant->right->second;
  return has_right ? "" : "operator";
}

}  // namespace tillsyn::property
