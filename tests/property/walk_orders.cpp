// What staff sign, rightly and wrongly, and the button in the home.
#include <algorithm>

#include "common/civil/zone.h"
#include "tests/property/walk.h"

namespace tillsyn::property {
namespace {

using fakes::Staff;
using gate_test::must;
using orders::Role;
using std::chrono::minutes;

civil::LocalDate date(std::int64_t day) { return civil::LocalDate(std::chrono::days(day)); }
std::shared_ptr<const civil::Zone> stockholm() { return must(civil::Zone::load("Europe/Stockholm")); }

civil::DayWindow day_window(const Window& window, std::size_t index) {
  return {"w" + std::to_string(index), minutes(window.start), minutes(window.minutes)};
}

civil::Schedule schedule_of(const Plan& plan) {
  civil::Schedule out;
  out.timezone = "Europe/Stockholm";
  out.zone = stockholm();
  if (plan.valid_from) out.valid_from = date(*plan.valid_from);
  if (plan.valid_to) out.valid_to = date(*plan.valid_to);
  for (const auto& window : plan.week)
    out.windows.push_back({day_window(window, out.windows.size()), static_cast<std::uint8_t>(window.days)});
  for (const auto& [day, windows] : plan.exceptions) {
    out.exceptions.push_back({date(day), {}});
    for (const auto& window : windows)
      out.exceptions.back().windows.push_back(day_window(window, out.exceptions.back().windows.size()));
  }
  return out;
}

orders::ConsentTerms terms_of(const Terms& terms, orders::ConsentTerms out) {
  out.decision = {date(terms.from), std::nullopt};
  out.consent.from = date(terms.from);
  out.consent.to = terms.to ? std::optional(date(*terms.to)) : std::nullopt;
  out.permitted = {minutes(terms.permitted_start), minutes(terms.permitted_minutes)};
  out.supervisions_per_day = static_cast<std::int64_t>(terms.per_day);
  out.max_minutes_per_day = terms.minutes_per_day;
  return out;
}

}  // namespace

MadePtr Walk::make(Slot slot, orders::Body body, Made facts, std::vector<const Staff*> signers) {
  refresh();
  // As a rule after what the hub has, sometimes after what it has not seen yet.
  const MadePtr newest = newest_[slot];
  const Made* base = naive_.held(slot);
  if (newest && chance(25)) base = newest.get();
  facts.slot = slot;
  facts.version = base == nullptr ? 1 : base->version + 1;
  facts.replaces = base == nullptr ? "" : base->hash;
  std::optional<orders::Hash> replaces;
  if (base != nullptr) replaces = must(from_base64url_exact<32>(base->hash));
  auto payload = maker_.payload(std::move(body), signers, facts.version, replaces);
  payload.common.id = fakes::random_id("made " + std::to_string(made_++));
  facts.signed_at = payload.common.signed_at.time_since_epoch().count();
  facts.is_sound = naive_.held(slot) == nullptr || !chance(8);
  facts.text = facts.is_sound ? maker_.order(payload, signers).text : spoil(payload, signers);
  facts.hash = to_base64url(*orders::order_hash_in(facts.text));
  auto made = std::make_shared<const Made>(std::move(facts));
  pool_.push_back(made);
  if (made->is_sound) newest_[slot] = made;
  return made;
}

// The same order, but not as it must be signed.
std::string Walk::spoil(const orders::Payload& payload, std::vector<const Staff*> signers) {
  auto changed = payload;
  if (signers.size() == 2 && chance(50)) {
    signers.pop_back();
    changed.common.signers.pop_back();
    return maker_.order(changed, signers).text;
  }
  const auto swapped = static_cast<std::size_t>(upto(static_cast<int>(signers.size())));
  signers[swapped] = &staff("tore");  // signs for somebody else
  return maker_.order(changed, signers).text;
}

Plan Walk::random_plan(bool open_now) {
  Plan plan;
  const int here = local_minute(truth());
  const auto window = [&](bool around) {
    Window out;
    const int length = around ? 20 + upto(300) : 1 + upto(240);
    out.minutes = length;
    out.start = around ? (here - upto(std::min(length - 5, 60)) + 1440) % 1440 : upto(1440);
    out.days = around || chance(60) ? 0x7f : 1 + static_cast<unsigned>(upto(127));
    return out;
  };
  plan.week.push_back(window(open_now || chance(60)));
  while (plan.week.size() < 4 && chance(40)) plan.week.push_back(window(false));
  const std::int64_t today = local_day(truth());
  if (open_now) return plan;
  if (chance(30)) {
    auto& windows = plan.exceptions[today + upto(3) - 1];
    while (windows.size() < 3 && chance(45)) windows.push_back(window(chance(30)));
  }
  if (chance(12)) plan.valid_from = today - 1 + upto(3);
  if (chance(12)) plan.valid_to = today + 2 + upto(2);
  return plan;
}

Terms Walk::random_terms(bool wide) {
  Terms terms;
  terms.from = local_day(truth()) - 10;
  terms.per_day = 8;
  terms.minutes_per_day = 1440;
  if (wide) return terms;
  if (chance(40)) terms.to = local_day(truth()) + upto(3) - 1;
  if (chance(40)) terms.permitted_start = upto(1440), terms.permitted_minutes = 1 + upto(1440);
  if (chance(25)) terms.per_day = static_cast<std::size_t>(1 + upto(2));
  if (chance(25)) terms.minutes_per_day = 1 + upto(400);
  return terms;
}

MadePtr Walk::make_consent(bool withdrawn, bool wide) {
  refresh();
  Made facts;
  auto body = maker_.consent(home_);
  facts.closes = withdrawn;
  if (withdrawn) {
    body.terms.reset();
    return make(Slot::kConsent, body, facts, {&staff("carin")});
  }
  facts.terms = random_terms(wide);
  body.terms = terms_of(*facts.terms, *body.terms);
  return make(Slot::kConsent, body, facts, {&staff("carin"), &staff("carl")});
}

MadePtr Walk::make_schedule(bool open_now) {
  refresh();
  Made facts;
  facts.plan = random_plan(open_now);
  const orders::ScheduleOrder body{home_.resident, home_.home, home_.group, schedule_of(*facts.plan)};
  return make(Slot::kSchedule, body, facts, {&staff("pia"), &staff("per")});
}

MadePtr Walk::make_operator(bool revoked) {
  refresh();
  Made facts;
  facts.closes = revoked;
  if (revoked)
    return make(Slot::kOperator, orders::Revoke{staff("olle").person, maker_.now, "left"}, facts, {&staff("rut")});
  auto body = maker_.grant_of(staff("olle").person, Role::kOperator);
  if (chance(25)) body.rights[0].to = maker_.now + minutes(1 + upto(300));
  facts.right = {body.rights[0].from.time_since_epoch().count(), body.rights[0].to.time_since_epoch().count()};
  return make(Slot::kOperator, body, facts, {&staff("mia"), &staff("rut")});
}

MadePtr Walk::make_assignment() {
  refresh();
  return make(Slot::kAssignment, fakes::OrderMaker::assignment(home_), {}, {&staff("inga")});
}

MadePtr Walk::make_acceptance() {
  refresh();
  Made facts;
  facts.assignment = naive_.held(Slot::kAssignment)->hash;
  const auto assignment = must(from_base64url_exact<32>(facts.assignment));
  return make(Slot::kAcceptance, fakes::OrderMaker::acceptance(home_, assignment), facts, {&staff("inga")});
}

MadePtr Walk::make_any() {
  const int kind = upto(100);
  if (kind < 40) return make_schedule(chance(50));
  if (kind < 60) return make_consent(false, chance(60));
  if (kind < 68) return make_consent(true, false);
  if (kind < 80) return make_operator(chance(50));
  if (kind < 85) return make_assignment();
  return make_acceptance();
}

TrustMade Walk::make_bundle(bool is_good) {
  refresh();
  TrustMade facts;
  auto& bundle = maker_.bundle;
  facts.counter = ++bundle.version.counter;
  bundle.issued_at = maker_.now - minutes(5);
  bundle.expires_at = is_good ? bundle.issued_at + std::chrono::days(7) : maker_.now + minutes(1 + upto(600));
  bundle.revoked_hubs.clear();
  bundle.revoked_persons.clear();
  if (!is_good && chance(25)) bundle.revoked_hubs.push_back(home_.hub);
  if (!is_good && chance(25)) bundle.revoked_persons.push_back({staff("olle").person, maker_.now + minutes(upto(30))});
  facts.issued_at = bundle.issued_at.time_since_epoch().count();
  facts.expires_at = bundle.expires_at.time_since_epoch().count();
  facts.hub_revoked = !bundle.revoked_hubs.empty();
  if (!bundle.revoked_persons.empty())
    facts.operator_revoked_from = bundle.revoked_persons[0].from.time_since_epoch().count();
  facts.text = maker_.bundle_envelope();
  bundles_.push_back(facts);
  return facts;
}

void Walk::deliver(const MadePtr& made) {
  hub_->connect();
  hub_->send(ipc::MessageType::kOrder, made->text);
  naive_.deliver(made, now(), steady_now());
  hub_->turn();
  settle();
}

void Walk::deliver(const TrustMade& bundle) {
  hub_->connect();
  hub_->send(ipc::MessageType::kBundle, bundle.text);
  naive_.deliver(bundle, now(), hub_->wall.shown());
  hub_->turn();
  settle();
}

void Walk::hold_button() {
  hub_->hold_button();
  naive_.button(steady_now());
  hub_->turn();
  settle();
}

void Walk::press_button() {
  hub_->press_button();
  naive_.press();
  hub_->turn();
  settle();
}

}  // namespace tillsyn::property
