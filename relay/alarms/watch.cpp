#include "relay/alarms/watch.h"

#include <algorithm>
#include <map>

#include "common/crypto/random.h"
#include "relay/alarms/losses.h"
#include "relay/alarms/maintenance.h"
#include "relay/webhooks/queue.h"

namespace tillsyn::alarms {
namespace {

using store::Value;
using Text = std::optional<std::string>;

constexpr std::chrono::hours kWindowsBack{36};
constexpr std::chrono::hours kBeforeAlarm{48};  // a window's beginning before its alarm
constexpr std::chrono::seconds kRememberEvery{30};

std::int64_t ms_of(Instant instant) { return instant.time_since_epoch().count(); }
Instant instant_of(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

Value date_value(const std::optional<civil::LocalDate>& date) {
  return date ? Value(civil::format_date(*date)) : Value(nullptr);
}

// A row of the table as it is read, in the columns' order.
using Row = std::tuple<std::string, std::string, std::string, Text, Text, Text, Text, Text, Text, Text, std::int64_t,
                       std::int64_t, std::int64_t, std::optional<std::int64_t>, Text, Text>;

Result<Alarm> read_alarm(const Row& row) {
  const auto& [id, subject, kind, group, resident, hub, window, date, order, reason, since, raised, level, taken,
               issuer, person] = row;
  Alarm out{id,
            {subject, kind, group, resident, hub, window, {}, order, reason, instant_of(since)},
            instant_of(raised),
            level,
            {}};
  if (date) {
    TILLSYN_TRY(day, civil::parse_date(*date));
    out.about.date = day;
  }
  if (taken) out.acknowledged = Acknowledged{instant_of(*taken), {issuer.value_or(""), person.value_or("")}};
  return out;
}

bool stands(const std::vector<Condition>& conditions, const Alarm& alarm) {
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const Condition& one) { return one.subject == alarm.about.subject; });
}

// What nobody has ended is looked at however old it is, and so is what ended while nobody looked.
Instant windows_from(const std::vector<Alarm>& open, const std::optional<Instant>& evaluated, Instant now) {
  Instant from = std::min(now, evaluated.value_or(now)) - kWindowsBack;
  for (const Alarm& alarm : open) {
    if (alarm.about.window) from = std::min(from, alarm.about.since - kBeforeAlarm);
  }
  return from;
}

}  // namespace

Json alarm_json(const Alarm& alarm) {
  const auto or_null = [](const Text& text) { return text ? Json(*text) : Json(); };
  const Condition& about = alarm.about;
  Json window;
  if (about.window && about.date) window = {{"id", *about.window}, {"date", civil::format_date(*about.date)}};
  Json acknowledged;
  if (alarm.acknowledged) {
    acknowledged = {{"time", format_instant(alarm.acknowledged->time)},
                    {"who", {{"issuer", alarm.acknowledged->who.issuer}, {"person", alarm.acknowledged->who.value}}}};
  }
  return {{"id", alarm.id},
          {"kind", about.kind},
          {"since", format_instant(about.since)},
          {"raised", format_instant(alarm.raised)},
          {"group", or_null(about.group)},
          {"resident", or_null(about.resident)},
          {"hub", or_null(about.hub)},
          {"window", window},
          {"order", or_null(about.order)},
          {"reason", or_null(about.reason)},
          {"level", alarm.level},
          {"acknowledged", acknowledged}};
}

Result<bool> Watch::evaluate(Instant now) {
  bool changed = false;
  const auto done = provider_.database.transaction([&]() -> Result<void> {
    TILLSYN_TRY(lost, judge_losses(provider_, hearing_, now));
    TILLSYN_TRY(held, open());
    TILLSYN_TRY(last, last_evaluation());
    std::map<std::string, std::optional<std::string>> raised;
    for (const Alarm& alarm : held) raised.emplace(alarm.about.subject, alarm.about.hub);
    TILLSYN_TRY(found,
                conditions({provider_, hearing_, copy_, raised, confirmed_, now, windows_from(held, last, now)}));
    TILLSYN_TRY(still, stood_still(held, now));
    if (still) found.push_back(*still);
    changed = lost;
    for (const Alarm& alarm : held) {
      if (stands(found, alarm)) {
        TILLSYN_TRY(rose, escalate(alarm, now));
        changed = changed || rose;
      } else {
        TILLSYN_CHECK(clear(alarm, now));
        changed = true;
      }
    }
    for (const Condition& condition : found) {
      if (!raised.emplace(condition.subject, condition.hub).second) continue;
      TILLSYN_CHECK(raise(condition, now));
      changed = true;
    }
    return remember_evaluation(now);
  });
  if (!done) return done.error();
  evaluated_ = now;
  return changed;
}

Result<std::optional<Instant>> Watch::last_evaluation() {
  if (evaluated_) return evaluated_;
  TILLSYN_TRY(row, provider_.database.select_one<std::int64_t>("select at_ms from evaluations where n = 1"));
  std::optional<Instant> out;
  if (row) out = instant_of(std::get<0>(*row));
  return out;
}

// Raised when it is found out, and then there until somebody has taken note of it.
Result<std::optional<Condition>> Watch::stood_still(const std::vector<Alarm>& open, Instant now) {
  std::optional<Condition> out;
  for (const Alarm& alarm : open) {
    if (alarm.about.kind == "not_evaluated" && !alarm.acknowledged) out = alarm.about;
  }
  TILLSYN_TRY(last, last_evaluation());
  if (out || !last || now - *last < kEvaluatedWithin) return out;
  TILLSYN_TRY(planned, planned_at(provider_, *last + kEvaluatedWithin));
  if (planned) return out;
  out = Condition{"not_evaluated/" + std::to_string(ms_of(*last)), "not_evaluated"};
  out->since = *last;
  return out;
}

Result<void> Watch::remember_evaluation(Instant now) {
  if (remembered_ && now - *remembered_ < kRememberEvery) return {};
  TILLSYN_CHECK(provider_.database.run("delete from evaluations"));
  TILLSYN_CHECK(provider_.database.run("insert into evaluations (n, at_ms) values (1, :at)", {ms_of(now)}));
  remembered_ = now;
  return {};
}

Result<void> Watch::raise(const Condition& condition, Instant now) {
  const Alarm alarm{to_base64url(crypto::random_array<16>()), condition, now, 0, {}};
  TILLSYN_CHECK(provider_.database.run(
      "insert into alarms (id, subject, kind, unit, resident, hub, window_id, window_date, order_hash, reason, "
      "since_ms, raised_ms, level) values (:id, :subject, :kind, :unit, :resident, :hub, :window, :date, :order, "
      ":reason, :since, :raised, 0)",
      {alarm.id, condition.subject, condition.kind, store::optional_value(condition.group),
       store::optional_value(condition.resident), store::optional_value(condition.hub),
       store::optional_value(condition.window), date_value(condition.date), store::optional_value(condition.order),
       store::optional_value(condition.reason), ms_of(condition.since), ms_of(now)}));
  return tell("alarm_raised", alarm, {}, now);
}

Result<void> Watch::clear(const Alarm& alarm, Instant now) {
  TILLSYN_CHECK(provider_.database.run("update alarms set cleared_ms = :now where id = :id", {ms_of(now), alarm.id}));
  return tell("alarm_cleared", alarm, {}, now);
}

Result<bool> Watch::escalate(const Alarm& alarm, Instant now) {
  std::int64_t level = 0;
  for (const auto after : kEscalateAfter) level += now - alarm.raised >= after ? 1 : 0;
  if (alarm.acknowledged || level <= alarm.level) return false;
  Alarm risen = alarm;
  risen.level = level;
  TILLSYN_CHECK(provider_.database.run("update alarms set level = :level where id = :id", {level, alarm.id}));
  TILLSYN_CHECK(tell("alarm_escalated", risen, {}, now));
  return true;
}

Result<void> Watch::tell(const char* what, const Alarm& alarm, std::vector<ledger::Person> who, Instant now) {
  Json details = alarm_json(alarm);
  details.erase("acknowledged");
  TILLSYN_CHECK(provider_.ledger->append_seen({.what = what,
                                               .hub = alarm.about.hub,
                                               .resident = alarm.about.resident,
                                               .who = std::move(who),
                                               .reason = alarm.about.kind,
                                               .details = std::move(details)},
                                              now));
  return webhooks::enqueue(provider_, what, alarm_json(alarm), now);
}

Result<std::vector<Alarm>> Watch::open() {
  TILLSYN_TRY(
      rows,
      (provider_.database.select<std::string, std::string, std::string, Text, Text, Text, Text, Text, Text, Text,
                                 std::int64_t, std::int64_t, std::int64_t, std::optional<std::int64_t>, Text, Text>(
          "select id, subject, kind, unit, resident, hub, window_id, window_date, order_hash, reason, "
          "since_ms, raised_ms, level, taken_ms, taken_issuer, taken_person from alarms where cleared_ms "
          "is null order by raised_ms, id")));
  std::vector<Alarm> out;
  for (const Row& row : rows) {
    TILLSYN_TRY(alarm, read_alarm(row));
    out.push_back(std::move(alarm));
  }
  return out;
}

Result<Alarm> Watch::acknowledge(const std::string& id, const orders::Person& who, Instant now) {
  TILLSYN_TRY(all, open());
  const auto found = std::find_if(all.begin(), all.end(), [&](const Alarm& alarm) { return alarm.id == id; });
  if (found == all.end()) return Error{Code::kNotFound, "no_alarm", "There is no such alarm any more."};
  if (found->acknowledged) return *found;
  found->acknowledged = Acknowledged{now, who};
  const auto done = provider_.database.transaction([&]() -> Result<void> {
    TILLSYN_CHECK(provider_.database.run(
        "update alarms set taken_ms = :now, taken_issuer = :issuer, taken_person = :person where id = :id",
        {ms_of(now), who.issuer, who.value, id}));
    return tell("alarm_acknowledged", *found, {care::ledger_person(who)}, now);
  });
  if (!done) return done.error();
  return *found;
}

}  // namespace tillsyn::alarms
