#include "tests/property/walk.h"

#include <algorithm>
#include <array>
#include <functional>

#include "common/civil/zone.h"
#include "common/crypto/random.h"

namespace tillsyn::property {
namespace {

using fakes::Staff;
using gate_test::must;
using orders::Role;
using std::chrono::milliseconds;
using std::chrono::minutes;

// Evenings before the clocks change, and ordinary ones.
constexpr std::array kEvenings = {"2026-03-28T19:40:00Z", "2026-10-24T19:40:00Z", "2026-11-22T20:15:00Z",
                                  "2026-06-30T21:50:00Z", "2026-12-31T22:30:00Z"};

Instant instant(Ms ms) { return Instant(milliseconds(ms)); }
civil::LocalDate date(std::int64_t day) { return civil::LocalDate(std::chrono::days(day)); }
std::string name_of(const orders::Hash& hash) { return to_base64url(hash); }

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

const char* slot_name(Slot slot) {
  switch (slot) {
    case Slot::kAssignment:
      return "assignment";
    case Slot::kAcceptance:
      return "acceptance";
    case Slot::kConsent:
      return "consent";
    case Slot::kSchedule:
      return "schedule";
    case Slot::kOperator:
      return "person";
  }
  return "";
}

}  // namespace

void Tally::add(const Tally& other) {
  steps += other.steps;
  open_steps += other.open_steps;
  frames += other.frames;
  opened += other.opened;
  refused += other.refused;
  paused_steps += other.paused_steps;
}

Walk::Walk(std::uint64_t seed)
    : random_(seed), maker_(must(parse_instant(kEvenings[seed % kEvenings.size()]))), log_(maker_) {
  maker_.now += minutes(upto(180));
  // Now and then a root list that ends within days.
  if (chance(15)) maker_.root_list.expires_at = maker_.now + minutes(60 + upto(5000));
  naive_.root_list_expires_at = maker_.root_list.expires_at.time_since_epoch().count();
  hub_ = std::make_unique<Hub>(maker_.fleet_root, maker_.now.time_since_epoch().count());
  home_.hub = hub_->keys->hub();
  set_up();
}

const Staff& Walk::staff(const std::string& name) {
  static const std::map<std::string, Role> kRoles = {
      {"olle", Role::kOperator},     {"pia", Role::kPlanner},      {"per", Role::kPlanner},
      {"carin", Role::kCareManager}, {"carl", Role::kCareManager}, {"inga", Role::kInstaller},
      {"mia", Role::kManager},       {"rut", Role::kRightsAdmin},  {"tore", Role::kTechnician}};
  const auto found = staff_.find(name);
  return found != staff_.end() ? found->second
                               : staff_.emplace(name, maker_.login(name, kRoles.at(name))).first->second;
}

void Walk::refresh() { maker_.now = std::chrono::floor<std::chrono::seconds>(instant(truth())); }

// Everybody logs in anew before their login is too old.
void Walk::log_in() {
  refresh();
  if (truth() - logged_in_ < 6 * kHour) return;
  logged_in_ = truth();
  staff_.clear();
}

void Walk::set_up() {
  log_in();
  hub_->connect();
  hub_->send(ipc::MessageType::kRootList, maker_.root_list_envelope());
  deliver(make_bundle(true));
  const auto hand_over = [&](const orders::Order& order) {
    hub_->send(ipc::MessageType::kOrder, order.text);
    hub_->turn();
  };
  for (const auto& grant : maker_.staff_grants())
    if (std::get<orders::Grant>(grant.payload.body).person.value != "olle") hand_over(grant);
  hand_over(maker_.order(fakes::OrderMaker::device(hub_->keys->device_key()), {&staff("tore")}));
  deliver(make_operator(false));
  hold_button();
  for (const auto& make : {&Walk::make_assignment, &Walk::make_acceptance}) deliver((this->*make)());
  deliver(make_consent(false, true));
  deliver(make_schedule(true));
  check_slots(hub_->poll());
}

// ---- orders ----

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
  facts.hash = name_of(*orders::order_hash_in(facts.text));
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

// ---- views ----

Walk::Asked Walk::view(const Staff& viewer, const Json& status, const std::function<void(orders::View&)>& change) {
  refresh();
  const auto challenge = must(from_base64url_exact<32>(status.at("challenge").get<std::string>()));
  const auto head = must(from_base64url_exact<32>(status.at("head").get<std::string>()));
  gate_test::Browser browser;
  auto body = maker_.view(home_, browser.key.public_key(), challenge, head);
  body.bundle.counter = naive_.bundle->counter;
  if (change) change(body);
  auto payload = maker_.payload(std::move(body), {&viewer});
  payload.common.id = fakes::random_id("view " + std::to_string(made_++));
  Asked asked{maker_.order(payload, {&viewer}), 0, format_instant(maker_.now)};
  asked.seq = log_.enter(asked.order);
  if (&viewer == &staff("olle") && !change) waiting_.insert_or_assign(name_of(asked.order.hash), std::move(browser));
  return asked;
}

void Walk::offer(const Asked& asked, const Json& status) {
  const auto& seen = status.at("ledger");
  const orders::LogPoint point{seen.at("size").get<std::uint64_t>(),
                               must(from_base64url_exact<32>(seen.at("root").get<std::string>()))};
  Json offer = log_.offer(asked.order, asked.seq, point);
  offer["time"] = asked.time;
  hub_->send(ipc::MessageType::kOffer, offer.dump());
  hub_->turn();
  take_answers();
}

void Walk::take_answers() {
  for (const auto& answer : hub_->answers()) {
    ++(answer.open ? tally_.opened : tally_.refused);
    if (answer.open)
      opened(answer);
    else
      closed_[name_of(answer.order)] = *answer.reason;
  }
}

void Walk::opened(const orders::Answer& answer) {
  const auto asked = waiting_.find(name_of(answer.order));
  if (asked == waiting_.end()) throw Broken("opened to somebody who may not look, or twice");
  if (const auto reason = naive_.closed_to_operator(now()); !reason.empty()) throw Broken("opened: " + reason);
  asked->second.take(answer);
  viewers_.insert_or_assign(to_base64url(answer.open->stream), std::move(asked->second));
  waiting_.erase(asked);
}

// Who may look is shown something at once.
void Walk::ask() {
  const Json status = hub_->poll();
  const bool works = hub_->fuse == Hub::Fuse::kLights && !hub_->lens->fails && waiting_.empty();
  const bool must_open = works && hub_->lens->open.size() < 3 && naive_.closed_to_operator(now()).empty();
  const auto asked = view(staff("olle"), status);
  const auto name = name_of(asked.order.hash);
  offer(asked, status);
  if (!waiting_.contains(name)) return asked_.push_back(asked);
  if (must_open)
    throw Broken("not shown what must be shown: " + closed_[name] + ", " + std::to_string(hub_->lens->open.size()) +
                 " shown, link " + (hub_->is_linked() ? "there" : "gone"));
  if (closed_.contains(name)) waiting_.erase(name);
}

void Walk::ask_badly() {
  const Json status = hub_->poll();
  const int kind = upto(6);
  const auto changed = [&](const std::function<void(orders::View&)>& change) {
    return view(staff("olle"), status, change);
  };
  if (kind == 0) offer(view(staff("pia"), status), status);
  if (kind == 1) offer(changed([](auto& body) { body.challenge = fakes::bytes32("made up"); }), status);
  if (kind == 2) offer(changed([](auto& body) { body.head = fakes::bytes32("another head"); }), status);
  if (kind == 3) offer(changed([](auto& body) { body.hub = to_base64url(fakes::bytes32("hub")); }), status);
  if (kind == 4) offer(changed([](auto& body) { body.resident = fakes::random_id("other"); }), status);
  if (kind != 5) return;
  auto unentered = changed([](auto&) {});
  unentered.seq -= std::min<std::uint64_t>(unentered.seq, 1);
  if (unentered.seq + 1 < log_.tree.size()) offer(unentered, status);
}

// What was good once is not good twice.
void Walk::ask_again() {
  if (asked_.empty()) return;
  const auto newest = static_cast<int>(asked_.size()) - 1;
  const auto& before = asked_[static_cast<std::size_t>(chance(60) ? newest : upto(newest + 1))];
  offer(before, hub_->poll());
}

void Walk::live() {
  for (auto& [stream, browser] : viewers_)
    if (!silent_.contains(stream)) hub_->send(ipc::MessageType::kLife, browser.life());
}

// ---- steps ----

void Walk::pass(Ms time) {
  const Ms early = time > 1 ? 1 + upto(static_cast<int>(std::min<Ms>(time - 1, 1'000'000'000))) : 0;
  const auto show = [&](Ms part) {
    steady_pass(part);
    pictures_[steady_now()] = naive_.closed_to_operator(now());
    hub_->picture(chance(50));
  };
  if (early > 0) show(early);  // while the loop sleeps
  show(time - early);
  if (chance(95)) live();
  hub_->turn();
  settle();
}

void Walk::pass_to_edge() {
  const Made* schedule = naive_.held(Slot::kSchedule);
  const auto edges = schedule->plan->edges(truth(), truth() + 12 * kHour);
  if (edges.empty()) return pass(100);
  const Ms next = *std::ranges::min_element(edges) - truth();
  const Ms aside = upto(400) - 250;
  pass(std::max<Ms>(1, next + aside));
}

void Walk::make_something() {
  const auto made = make_any();
  if (chance(75)) deliver(made);
}

void Walk::deliver_something() {
  const auto newest = std::min<std::size_t>(pool_.size(), 12);
  if (chance(80))
    deliver(pool_[pool_.size() - 1 - static_cast<std::size_t>(upto(static_cast<int>(newest)))]);
  else
    deliver(bundles_[static_cast<std::size_t>(upto(static_cast<int>(bundles_.size())))]);
}

void Walk::upset_clock() {
  const int kind = upto(4);
  // Further than a clock may walk by itself while it coasts.
  if (kind == 0) hub_->wall.step((chance(50) ? 1 : -1) * (3 * kMinute + upto(20'000'000)));
  if (kind == 1) hub_->wall.synchronised = false;
  if (kind >= 2) mend_clock();
  pass(1 + upto(100));
}

void Walk::mend_clock() {
  hub_->wall.mend();
  steady_pass(100);  // so that the gate looks at what has waited for it
  hub_->turn();
  settle();
}

void Walk::upset_hub() {
  switch (upto(10)) {
    case 0:
      hub_->restart();
      naive_.restart();
      waiting_.clear();
      break;
    case 1:
      hub_->hang_up();
      break;
    case 2:
      hub_->fuse = Hub::Fuse::kFails;
      break;
    case 3:
      hub_->fuse = Hub::Fuse::kSilent;
      break;
    case 4:
      hub_->lens->fails = true;
      break;
    case 5:
      if (!viewers_.empty()) silent_.insert(viewers_.begin()->first);
      break;
    case 6:
      hold_button();
      break;
    case 7:
    case 8:
      press_button();
      break;
    default:
      deliver(make_bundle(false));
  }
  pass(1 + upto(100));
}

void Walk::mend() {
  hub_->fuse = Hub::Fuse::kLights;
  hub_->lens->fails = false;
  if (const auto reason = naive_.closed_to_operator(now()); !reason.empty()) mend(reason);
  if (naive_.closed_to_operator(now()).empty() && hub_->lens->open.empty()) ask();
}

void Walk::mend(const std::string& reason) {
  if (reason == "clock") mend_clock();
  if (reason == "bundle" || reason == "hub revoked") deliver(make_bundle(true));
  if (reason == "resident" && chance(30)) press_button();
  if (reason == "operator") deliver(make_bundle(true)), deliver(make_operator(false));
  if (reason == "acceptance") deliver(make_acceptance());
  if (reason == "consent") deliver(make_consent(false, true));
  if (reason == "schedule") deliver(make_consent(false, true)), deliver(make_schedule(true));
  if (reason == "window" && chance(50)) deliver(make_consent(false, true));
  if (reason == "window") deliver(make_schedule(true));
}

void Walk::step() {
  steady_pass(1);
  log_in();
  const int kind = upto(1000);
  if (kind < 640)
    pass(10 + upto(390));
  else if (kind < 700)
    pass(1000 + upto(12'000));
  else if (kind < 715)
    pass(kMinute + upto(20 * 60'000));
  else if (kind < 718)
    pass(kHour + upto(5 * 3'600'000));
  else if (kind < 735)
    pass_to_edge();
  else if (kind < 790)
    ask();
  else if (kind < 805)
    ask_badly();
  else if (kind < 815)
    ask_again();
  else if (kind < 840)
    make_something();
  else if (kind < 870)
    deliver_something();
  else if (kind < 878)
    upset_clock();
  else if (kind < 890)
    upset_hub();
  else if (kind < 900)
    check_slots(hub_->poll());
  else
    mend();
  look();
}

void Walk::look() {
  take_answers();
  check_frames();
  const auto reason = naive_.closed(now());
  if (hub_->is_camera_open() && !reason.empty()) throw Broken("a camera is open: " + reason);
  ++tally_.steps;
  if (hub_->is_camera_open()) ++tally_.open_steps;
  if (reason == "resident") ++tally_.paused_steps;
}

void Walk::check_frames() {
  for (const auto& frame : hub_->frames()) {
    if (!viewers_.contains(frame.stream)) throw Broken("a frame that nobody was promised");
    if (frame.is_end) continue;
    ++tally_.frames;
    const auto taken = pictures_.find(frame.capture);
    if (taken == pictures_.end()) throw Broken("a picture that was not taken");
    if (!taken->second.empty()) throw Broken("a picture has left that was taken when closed: " + taken->second);
  }
  while (pictures_.size() > 1000) pictures_.erase(pictures_.begin());
}

void Walk::check_slots(const Json& status) {
  std::map<std::string, std::string> held;
  for (const auto& slot : status.at("slots")) held[slot.at("slot")] = slot.at("order");
  for (const Slot slot : {Slot::kAssignment, Slot::kAcceptance, Slot::kConsent, Slot::kSchedule}) {
    const Made* due = naive_.held(slot);
    if (held[slot_name(slot)] != (due == nullptr ? "" : due->hash))
      throw Broken(std::string("holds another ") + slot_name(slot));
  }
  if (status.at("paused_by_resident") != naive_.is_paused_by_resident()) throw Broken("knows another pause");
  if (status.at("clock") != (now() ? "trusted" : "untrusted")) throw Broken("believes another clock");
  Bytes acknowledged;
  append_u64(acknowledged, status.at("events").get<std::uint64_t>());
  hub_->send(ipc::MessageType::kEventsAcked, acknowledged);
}

void Walk::steps(int count) {
  const auto is_over = [&] { return truth() >= naive_.root_list_expires_at + kHour; };
  for (int i = 0; i < count && !is_over(); ++i) step();
}

}  // namespace tillsyn::property
