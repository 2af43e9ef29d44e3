#include "tests/property/walk.h"

#include <algorithm>
#include <array>

namespace tillsyn::property {
namespace {

using fakes::Staff;
using gate_test::must;
using orders::Role;
using std::chrono::minutes;

// Evenings before the clocks change, and ordinary ones.
constexpr std::array kEvenings = {"2026-03-28T19:40:00Z", "2026-10-24T19:40:00Z", "2026-11-22T20:15:00Z",
                                  "2026-06-30T21:50:00Z", "2026-12-31T22:30:00Z"};

Instant instant(Ms ms) { return Instant(std::chrono::milliseconds(ms)); }

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
