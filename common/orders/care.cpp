#include "common/orders/codec.h"

// Bodies about what was agreed with a resident: consent, schedule, pause, resume.
namespace tillsyn::orders {
namespace {

constexpr std::size_t kMaxTimezoneBytes = 64;
constexpr std::int64_t kMinutesPerDay = 1440;
constexpr std::array<const char*, 7> kDayNames = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

DateRange read_range(JsonReader& in) {
  DateRange out{read_date(in, "from"), read_optional_date(in, "to")};
  if (in.ok() && out.to && *out.to < out.from) in.fail("to", "is before from");
  return out;
}

Json range_json(const DateRange& range) {
  return {{"from", civil::format_date(range.from)}, {"to", or_null(range.to, civil::format_date)}};
}

std::chrono::minutes read_time_of_day(JsonReader& in, const char* name) {
  const std::string text = in.text(name, 5);
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
  const bool is_shaped = text.size() == 5 && text[2] == ':';
  const int hour = is_shaped ? digit(0) * 10 + digit(1) : 100;
  const int minute = is_shaped ? digit(3) * 10 + digit(4) : 100;
  if (hour < 24 && minute < 60) return std::chrono::hours(hour) + std::chrono::minutes(minute);
  in.fail(name, "is not a time 00:00-23:59");
  return {};
}

std::string time_of_day(std::chrono::minutes since_midnight) {
  const auto two = [](std::int64_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  return two(since_midnight.count() / 60) + ":" + two(since_midnight.count() % 60);
}

PermittedHours read_permitted(JsonReader& in) {
  return {read_time_of_day(in, "start"), std::chrono::minutes(in.integer("minutes", 1, kMinutesPerDay))};
}

void read_informed(JsonReader& in, ConsentTerms& out) {
  read_object(in, "informed", [&](JsonReader& inner) {
    out.informed_by = read_filled_text(inner, "by", kMaxPersonBytes);
    out.informed_how = read_filled_text(inner, "how", kMaxReasonBytes);
    return true;
  });
}

ConsentTerms read_terms(JsonReader& in) {
  ConsentTerms out;
  out.decision = read_object(in, "decision", read_range);
  out.consent = read_object(in, "consent", read_range);
  read_informed(in, out);
  out.permitted = read_object(in, "permitted", read_permitted);
  out.supervisions_per_day = in.integer("supervisions_per_day", 1, static_cast<std::int64_t>(civil::kMaxWindows));
  out.max_minutes_per_day = in.integer("max_minutes_per_day", 1, kMinutesPerDay);
  out.name_hash = read_hash(in, "name_hash");
  out.timezone = read_filled_text(in, "timezone", kMaxTimezoneBytes);
  if (!in.ok()) return out;
  auto zone = civil::Zone::load(out.timezone);
  if (zone) out.zone = *zone;
  if (!zone) in.fail("timezone", "is not known");
  return out;
}

void write_terms(Json& out, const ConsentTerms& terms) {
  out["decision"] = range_json(terms.decision);
  out["consent"] = range_json(terms.consent);
  out["informed"] = {{"by", terms.informed_by}, {"how", terms.informed_how}};
  out["permitted"] = {{"start", time_of_day(terms.permitted.start)}, {"minutes", terms.permitted.length.count()}};
  out["supervisions_per_day"] = terms.supervisions_per_day;
  out["max_minutes_per_day"] = terms.max_minutes_per_day;
  out["name_hash"] = hash_json(terms.name_hash);
  out["timezone"] = terms.timezone;
}

Json day_window_json(const civil::DayWindow& window) {
  return {{"id", window.id}, {"start", time_of_day(window.start)}, {"minutes", window.length.count()}};
}

Json week_window_json(const civil::WeekWindow& week) {
  Json out = day_window_json(week.window);
  out["days"] = Json::array();
  for (std::size_t day = 0; day < kDayNames.size(); ++day) {
    if ((week.days >> day & 1u) != 0) out["days"].push_back(kDayNames.at(day));
  }
  return out;
}

Json exception_json(const civil::Exception& exception) {
  Json out = {{"date", civil::format_date(exception.date)}, {"windows", Json::array()}};
  for (const auto& window : exception.windows) out["windows"].push_back(day_window_json(window));
  return out;
}

}  // namespace

std::optional<Body> read_consent(JsonReader& in) {
  Consent out;
  read_place(in, out);
  if (!in.boolean("withdrawn")) out.terms = read_terms(in);
  return out;
}

void write(Json& out, const Consent& body) {
  write_place(out, body);
  out["withdrawn"] = !body.terms;
  if (body.terms) write_terms(out, *body.terms);
}

std::optional<Body> read_schedule(JsonReader& in) {
  ScheduleOrder out;
  read_place(in, out);
  auto schedule = civil::parse_schedule_body(in);
  if (!schedule) {
    in.fail("windows", "are wrong: " + schedule.error().message);
    return std::nullopt;
  }
  out.schedule = std::move(*schedule);
  return out;
}

void write(Json& out, const ScheduleOrder& body) {
  write_place(out, body);
  out["timezone"] = body.schedule.timezone;
  out["valid_from"] = or_null(body.schedule.valid_from, civil::format_date);
  out["valid_to"] = or_null(body.schedule.valid_to, civil::format_date);
  out["windows"] = Json::array();
  out["exceptions"] = Json::array();
  for (const auto& week : body.schedule.windows) out["windows"].push_back(week_window_json(week));
  for (const auto& exception : body.schedule.exceptions) out["exceptions"].push_back(exception_json(exception));
}

std::optional<Body> read_pause(JsonReader& in) {
  Pause out;
  read_place(in, out);
  out.until = read_time(in, "until");
  out.reason = read_filled_text(in, "reason", kMaxReasonBytes);
  return out;
}

void write(Json& out, const Pause& body) {
  write_place(out, body);
  out["until"] = time_json(body.until);
  out["reason"] = body.reason;
}

std::optional<Body> read_resume(JsonReader& in) {
  Resume out;
  read_place(in, out);
  return out;
}

void write(Json& out, const Resume& body) { write_place(out, body); }

}  // namespace tillsyn::orders
