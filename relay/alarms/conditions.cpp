#include "relay/alarms/conditions.h"

#include <algorithm>

#include "common/civil/windows.h"
#include "common/orders/order.h"
#include "relay/alarms/losses.h"
#include "relay/alarms/maintenance.h"
#include "relay/care/supervisions.h"

namespace tillsyn::alarms {
namespace {

using care::Supervision;

constexpr std::chrono::minutes kReceiptWithin{1};
constexpr std::chrono::hours kAssignWithin{1};    // a new or released hub
constexpr std::chrono::hours kScheduleWithin{1};  // after a decision

Instant instant_of(std::int64_t ms) { return Instant(std::chrono::milliseconds(ms)); }

class Reckoning {
 public:
  explicit Reckoning(const Question& question) : q_(question), book_(question.provider.book) {}

  Result<std::vector<Condition>> run() {
    sort_orders();
    TILLSYN_CHECK(read_losses());
    TILLSYN_CHECK(windows());
    TILLSYN_CHECK(decisions());
    losses();
    for (const auto& [hub, heard] : known_hubs()) {
      if (!book_.assignment_of(hub)) TILLSYN_CHECK(check_unassigned(hub, heard));
      TILLSYN_CHECK(check_receipts(hub, heard));
    }
    TILLSYN_CHECK(maintenance());
    copy();
    return std::move(out_);
  }

 private:
  void sort_orders() {
    for (const orders::Order* order : book_.all()) {
      const auto* hub = orders::hub_of(order->payload.body);
      const auto* named = hub ? hub : orders::resident_of(order->payload.body);
      if (named) orders_of_[*named].push_back(order);
    }
  }

  Result<void> read_losses() {
    TILLSYN_TRY(lost, open_losses(q_.provider));
    TILLSYN_TRY(events, open_area_losses(q_.provider));
    TILLSYN_TRY(flapping_now, flapping(q_.provider, q_.now));
    TILLSYN_TRY(planned, planned_at(q_.provider, q_.now));
    for (Loss& loss : lost) lost_[loss.hub] = loss;
    events_ = std::move(events);
    flapping_ = std::move(flapping_now);
    is_maintained_ = planned;
    return {};
  }

  // ---- windows

  static Condition about(const Supervision& one, const char* kind, Instant since) {
    Condition out;
    out.subject = std::string(kind) + "/" + one.resident + "/" + civil::format_date(one.date) + "/" + one.window;
    out.kind = kind;
    out.group = one.group;
    out.resident = one.resident;
    out.window = one.window;
    out.date = one.date;
    out.since = since;
    return out;
  }

  Result<void> windows() {
    TILLSYN_TRY(all, care::supervisions(q_.provider, q_.windows_from, q_.now + care::kLookAhead));
    for (const Supervision& one : all) {
      switch (one.state(q_.now)) {
        case Supervision::State::kDone:
          if (one.is_paused_by_resident && one.start <= q_.now) add_own_pause(one);
          break;
        case Supervision::State::kVisit:
          add_visit(one);
          break;
        default:
          add_missing_hub(one);
      }
    }
    return {};
  }

  void add_visit(const Supervision& one) {
    if (one.tries.empty()) return out_.push_back(about(one, "missing_outcome", one.end));
    out_.push_back(about(one, "visit_needed", std::min(one.end, one.tries.back().posted)));
    out_.back().reason = one.tries.back().type;
  }

  void add_own_pause(const Supervision& one) {
    out_.push_back(about(one, "resident_paused", std::max(one.start, one.outcome->posted)));
  }

  void add_missing_hub(const Supervision& one) {
    const auto hubs = book_.hubs_of(one.resident);
    const auto reason = hubs.empty() ? std::optional<std::string>("no_assignment") : why_closed(hubs, one.resident);
    if (!reason) return;
    out_.push_back(about(one, "hub_missing", one.start - care::kLookAhead));
    out_.back().reason = reason;
    if (!hubs.empty()) out_.back().hub = hubs.front();
  }

  // Why none of the resident's hubs will open; what an area's loss explains is told by that alone.
  std::optional<std::string> why_closed(const std::vector<std::string>& hubs, const std::string& resident) const {
    std::optional<std::string> why;
    for (const std::string& hub : hubs) {
      const auto in_force = book_.schedule_in_force(hub, resident, q_.now);
      const auto lost = lost_.find(hub);
      if (in_force.ok() && lost == lost_.end()) return std::nullopt;
      if (lost != lost_.end() && lost->second.event) return std::nullopt;
      why = in_force.ok() ? "hub_lost" : in_force.error().reason;
    }
    return why == "paused" ? std::nullopt : why;
  }

  // ---- decisions

  Result<void> decisions() {
    TILLSYN_TRY(timelines, q_.provider.history.timelines());
    for (const auto& [resident, timeline] : *timelines) {
      if (!timeline.consents.empty() && timeline.consents.back().body.terms) check_decision(resident, timeline);
    }
    return {};
  }

  void check_decision(const std::string& resident, const care::Timeline& timeline) {
    const auto& consent = timeline.consents.back();
    const auto& terms = *consent.body.terms;
    const civil::LocalDate today = terms.zone->date_at(q_.now);
    for (const civil::LocalDate date : {today, today - std::chrono::days(1)}) {
      const Instant begin = terms.zone->instant_of(date, terms.permitted.start);
      const Instant due = std::max(begin, consent.from + kScheduleWithin);
      const bool has_come = due <= q_.now && due < begin + terms.permitted.length;
      if (!has_come || !terms.decision.holds(date)) continue;
      const bool is_mended = date != today && !timeline.schedules.empty() && timeline.schedules.back().from > due;
      if (is_mended || has_windows(timeline, date, begin)) return;
      Condition out{"no_windows/" + resident, "no_windows", consent.body.group, resident};
      out.order = consent.hash;
      out.since = due;
      out_.push_back(std::move(out));
      return;
    }
  }

  // Two people have signed an exception for that very date: that there are none is then decided.
  static bool has_windows(const care::Timeline& timeline, civil::LocalDate date, Instant begin) {
    if (timeline.schedules.empty()) return false;
    const auto& schedule = timeline.schedules.back().body.schedule;
    const bool is_exception = std::any_of(schedule.exceptions.begin(), schedule.exceptions.end(),
                                          [&](const auto& one) { return one.date == date; });
    return is_exception || !civil::occurrences(schedule, begin, begin + std::chrono::hours(24)).empty();
  }

  // ---- hubs

  void losses() {
    for (const AreaLoss& event : events_) {
      if (is_maintained_) continue;
      Condition out{"area_lost/" + event.id, event.area ? "area_lost" : "service_lost", event.area};
      out.since = event.lost;
      out_.push_back(std::move(out));
    }
    for (const auto& [hub, loss] : lost_) {
      if (!loss.event && !flapping_.contains(hub) && !is_maintained_) add_hub(hub, "hub_lost", loss.lost);
    }
    for (const auto& [hub, since] : flapping_) add_hub(hub, "hub_flapping", since);
  }

  void add_hub(const std::string& hub, const char* kind, Instant since) {
    const auto* assignment = book_.assignment_of(hub);
    if (!assignment) return;
    Condition out{std::string(kind) + "/" + hub, kind, assignment->group, assignment->resident, hub};
    out.since = since;
    out_.push_back(std::move(out));
  }

  // Those that presence knows, and those of which there is an alarm though presence has not begun to know them.
  Hearing known_hubs() const {
    Hearing out = q_.hearing;
    for (const auto& [subject, hub] : q_.raised) {
      if (hub) out.try_emplace(*hub);
    }
    return out;
  }

  bool is_raised(const std::string& subject) const { return q_.raised.contains(subject); }

  Result<void> check_unassigned(const std::string& hub, const Heard& heard) {
    TILLSYN_TRY(rows,
                (q_.provider.database.select<std::optional<std::int64_t>>(
                    "select max(posted_ms) from orders where hub = :hub and type in ('device', 'release')", {hub})));
    const auto newest = rows.empty() ? std::nullopt : std::get<0>(rows.front());
    if (!newest || q_.now - instant_of(*newest) < kAssignWithin) return {};
    Condition out{"hub_unassigned/" + hub, "hub_unassigned"};
    if (!heard.is_online && !is_raised(out.subject)) return {};
    out.hub = hub;
    out.since = instant_of(*newest);
    out_.push_back(std::move(out));
    return {};
  }

  // What a hub must confirm: orders that name it, and those of its resident that name no hub.
  Result<void> check_receipts(const std::string& hub, const Heard& heard) {
    for (const orders::Order* order : orders_of_[hub]) TILLSYN_CHECK(check_receipt(hub, heard, *order));
    const auto* assignment = book_.assignment_of(hub);
    if (!assignment) return {};
    for (const orders::Order* order : orders_of_[assignment->resident]) {
      TILLSYN_CHECK(check_receipt(hub, heard, *order));
    }
    return {};
  }

  Result<void> check_receipt(const std::string& hub, const Heard& heard, const orders::Order& order) {
    const std::string hash = to_base64url(order.hash);
    if (q_.confirmed.contains({hub, hash})) return {};
    if (std::holds_alternative<orders::Assignment>(order.payload.body) && !book_.is_countersigned(order.hash))
      return {};
    TILLSYN_TRY(rows, (q_.provider.database.select<std::string, std::string>(
                          "select what, body from documents where order_hash = :order and kind = 'receipt' and hub = "
                          ":hub order by seq desc limit 1",
                          {hash, hub})));
    const std::string verdict = rows.empty() ? std::string() : std::get<0>(rows.front());
    if (verdict == "accepted") {
      q_.confirmed.insert({hub, hash});
      return {};
    }
    TILLSYN_TRY(posted, q_.provider.database.select_one<std::int64_t>("select posted_ms from orders where hash = :hash",
                                                                      {hash}));
    if (!posted) return {};
    const Instant since = std::max(instant_of(std::get<0>(*posted)), q_.now - heard.online_for);
    const bool is_refused = verdict == "refused";
    const bool is_late = heard.is_online && q_.now - since >= kReceiptWithin;
    if (is_refused || is_late || is_raised("no_receipt/" + hub + "/" + hash)) {
      add_order(hub, order, hash, is_refused ? "order_refused" : "no_receipt", since);
    } else {
      return {};
    }
    if (!rows.empty()) out_.back().reason = reason_in(std::get<1>(rows.front()));
    return {};
  }

  void add_order(const std::string& hub, const orders::Order& order, const std::string& hash, const char* kind,
                 Instant since) {
    const auto text_or = [](const std::string* text) {
      return text ? std::optional<std::string>(*text) : std::nullopt;
    };
    const auto& body = order.payload.body;
    Condition out{std::string(kind) + "/" + hub + "/" + hash, kind, text_or(orders::group_of(body)),
                  text_or(orders::resident_of(body)), hub};
    out.order = hash;
    out.since = since;
    out_.push_back(std::move(out));
  }

  // The device key's signature was verified when it came.
  static std::optional<std::string> reason_in(const std::string& envelope) {
    const Json outer = Json::parse(envelope, nullptr, false);
    const auto payload = outer.is_object() ? outer.find("payload") : outer.end();
    if (!outer.is_object() || payload == outer.end() || !payload->is_string()) return std::nullopt;
    const Json inner = Json::parse(payload->get_ref<const std::string&>(), nullptr, false);
    const auto reason = inner.is_object() ? inner.find("reason") : inner.end();
    if (!inner.is_object() || reason == inner.end() || !reason->is_string()) return std::nullopt;
    return reason->get<std::string>();
  }

  // ---- maintenance

  Result<void> maintenance() {
    TILLSYN_TRY(planned, planned_after(q_.provider, q_.now));
    for (const Maintenance& one : planned) {
      TILLSYN_TRY(windows, windows_in(q_.provider, one.from, one.to));
      if (windows == 0) continue;
      Condition out{"maintenance_in_window/" + one.id, "maintenance_in_window"};
      out.since = q_.now;
      out_.push_back(std::move(out));
    }
    return {};
  }

  // ---- the log's copy

  void copy() {
    using State = CopyHeard::State;
    const auto is_so = [this](State state, const char* kind) {
      return q_.copy.state == state || (q_.copy.state == State::kUnknown && is_raised(kind));
    };
    if (is_so(State::kLate, "copy_late")) add_copy("copy_late");
    if (is_so(State::kDisagrees, "copy_disagrees")) add_copy("copy_disagrees");
  }

  void add_copy(const char* kind) {
    Condition out{kind, kind};
    if (!q_.copy.reason.empty()) out.reason = q_.copy.reason;
    out.since = q_.now - q_.copy.lasts;
    out_.push_back(std::move(out));
  }

  const Question& q_;
  const orders::OrderBook& book_;
  std::map<std::string, std::vector<const orders::Order*>> orders_of_;  // by the hub they name, else the resident
  std::map<std::string, Loss> lost_;
  std::vector<AreaLoss> events_;
  std::map<std::string, Instant> flapping_;
  bool is_maintained_ = false;
  std::vector<Condition> out_;
};

}  // namespace

Result<std::vector<Condition>> conditions(const Question& question) { return Reckoning(question).run(); }

}  // namespace tillsyn::alarms
