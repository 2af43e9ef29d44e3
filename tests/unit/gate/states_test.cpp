#include <fstream>
#include <map>

#include "firmware/gate/take_down.h"
#include "tests/unit/gate/rig.h"

using namespace tillsyn;
using namespace tillsyn::gate;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using orders::Role;

// The table of firmware/README.md, walked on the real orders, store and guard.
namespace {

constexpr const char* kFactory = "factory: no_assignment";
constexpr const char* kDestroyed = "keys destroyed";

struct Row {
  std::string before;
  std::string what;
  std::string after;
};

std::string trimmed(const std::string& text) {
  const auto from = text.find_first_not_of(' ');
  return from == std::string::npos ? std::string() : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

// The rows of the table under "## States", without its head.
std::vector<Row> table() {
  std::ifstream page(TILLSYN_FIRMWARE_README);
  std::vector<Row> rows;
  bool is_there = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("#")) is_there = line.starts_with("## States");
    if (!is_there || !line.starts_with("|")) continue;
    const auto first = line.find('|', 1);
    const auto second = line.find('|', first + 1);
    rows.push_back({trimmed(line.substr(1, first - 1)), trimmed(line.substr(first + 1, second - first - 1)),
                    trimmed(line.substr(second + 1, line.size() - second - 2))});
  }
  REQUIRE(rows.size() > 2);
  rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

class Walker : public HubInside {
 public:
  Walker() : HubInside(must(parse_instant("2026-11-22T20:15:00Z"))) {
    must(inside->trust.take_root_list(maker.root_list_envelope(), read()));
    must(inside->trust.take_bundle(maker.bundle_envelope(), read()));
    for (const auto& grant : maker.staff_grants()) REQUIRE(take(grant) == "accepted");
    elsewhere.hub = home.hub;
    elsewhere.home = fakes::random_id("other home");
    stranger.hub = home.hub;
    stranger.resident = fakes::random_id("stranger");
  }

  std::string state() const {
    if (is_destroyed_) return kDestroyed;
    const Opening opening = judge_opening(inside->standing(), clock->read());
    return std::string(inside->desk.state()) + ": " + (opening.is_open() ? "open" : opening.reason);
  }

  void apply(const std::string& what) {
    const auto found = acts().find(what);
    if (found == acts().end()) FAIL("the table says what the test does not know: " << what);
    found->second(*this);
  }

 private:
  using Acts = std::map<std::string, void (*)(Walker&)>;

  static const Acts& acts() {
    static const Acts kActs = {
        {"device", [](Walker& w) { w.sign(fakes::OrderMaker::device(w.keys->device_key()), {&w.tore}); }},
        {"assignment", [](Walker& w) { w.assign(w.home); }},
        {"assignment, button held", [](Walker& w) { w.hold(), w.assign(w.home); }},
        {"assignment to another home, button held", [](Walker& w) { w.hold(), w.assign(w.elsewhere); }},
        {"assignment of another resident, button held", [](Walker& w) { w.hold(), w.assign(w.stranger); }},
        {"acceptance", [](Walker& w) { w.accept(w.home); }},
        {"consent",
         [](Walker& w) {
           w.sign(w.maker.wide_consent(w.home), {&w.carin, &w.carl});
         }},
        {"schedule",
         [](Walker& w) {
           w.sign(w.maker.open_schedule(w.home, 15min), {&w.pia, &w.per});
         }},
        {"pause", [](Walker& w) { w.sign(w.pause(), {&w.pia}); }},
        {"resume",
         [](Walker& w) {
           w.sign(orders::Resume{w.home.resident, w.home.home, w.home.group}, {&w.carin});
         }},
        {"the pause's end", [](Walker& w) { w.pass(24h); }},
        {"consent withdrawn",
         [](Walker& w) {
           w.sign(orders::Consent{w.home.resident, w.home.home, w.home.group, {}}, {&w.carin});
         }},
        {"release",
         [](Walker& w) {
           w.sign(w.release(), {&w.inga, &w.carin});
         }},
        {"button held", [](Walker& w) { w.hold_alone(); }},
        {"button pressed", [](Walker& w) { w.press(); }},
        {"release, button held",
         [](Walker& w) {
           w.sign(w.release(), {&w.inga, &w.carin});
           w.hold_alone();
         }},
        {"release, button pressed, button held",
         [](Walker& w) {
           w.sign(w.release(), {&w.inga, &w.carin});
           w.press(), w.hold_alone();
         }},
        {"72 h, the relay not warned", [](Walker& w) { w.wait_72_hours(0); }},
        {"72 h, the relay warned", [](Walker& w) { w.wait_72_hours(1000); }},
        {"move to another home", [](Walker& w) { w.hold(), w.assign(w.elsewhere), w.accept(w.elsewhere); }},
        {"schedule for the other home",
         [](Walker& w) {
           w.sign(w.maker.open_schedule(w.elsewhere, 15min), {&w.pia, &w.per});
         }},
        {"consent and schedule for the other home",
         [](Walker& w) {
           w.sign(w.maker.wide_consent(w.elsewhere), {&w.carin, &w.carl});
           w.sign(w.maker.open_schedule(w.elsewhere, 15min), {&w.pia, &w.per});
         }},
    };
    return kActs;
  }

  // Signed as the next version of what the slot holds. Whether it is accepted the state tells.
  void sign(orders::Body body, const std::vector<const fakes::Staff*>& signers) {
    const auto slot = *orders::slot_of(body);
    const orders::Order* held = inside->desk.book().at(slot.name, slot.owner);
    take(held == nullptr ? maker.order(std::move(body), signers) : maker.successor(*held, std::move(body), signers));
  }
  void assign(const fakes::Home& place) { sign(fakes::OrderMaker::assignment(place), {&inga}); }
  void accept(const fakes::Home& place) {
    const orders::Order* assigned = inside->desk.book().at("assignment", home.hub);
    sign(fakes::OrderMaker::acceptance(place, assigned == nullptr ? orders::Hash() : assigned->hash), {&inga});
  }
  void hold() {
    if (!inside->button_held(boot)) return;
    must(inside->desk.judge_waiting(read(), boot));
  }
  // With nothing to come for which somebody would be present.
  void hold_alone() {
    hold();
    is_destroyed_ = !inside->pause.holds() && inside->desk.release() != nullptr;
  }
  void press() { must(inside->button_pressed(read())); }
  orders::Pause pause() const { return {home.resident, home.home, home.group, maker.now + 24h, "hospital"}; }
  orders::Release release() const { return {home.hub, home.resident, home.home, home.group, "moves"}; }

  void wait_72_hours(std::int64_t acknowledged) {
    TakeDown take_down;
    for (int hours = 0; hours < 73 && !is_destroyed_; ++hours) {
      const auto step = take_down.judge(inside->desk.release(), read(), acknowledged);
      if (step == TakeDown::Step::kWarn) take_down.warned(7);
      is_destroyed_ = step == TakeDown::Step::kDestroy;
      pass(1h);
    }
  }

  fakes::Home elsewhere;
  fakes::Home stranger;
  bool is_destroyed_ = false;
  const fakes::Staff inga = maker.login("inga", Role::kInstaller);
  const fakes::Staff tore = maker.login("tore", Role::kTechnician);
  const fakes::Staff carin = maker.login("carin", Role::kCareManager);
  const fakes::Staff carl = maker.login("carl", Role::kCareManager);
  const fakes::Staff pia = maker.login("pia", Role::kPlanner);
  const fakes::Staff per = maker.login("per", Role::kPlanner);
};

// Goes to `state` by the rows that reach each state first.
void go_to(Walker& walker, const std::vector<Row>& rows, const std::string& state) {
  if (state == kFactory) return;
  const auto way = std::ranges::find(rows, state, &Row::after);
  REQUIRE(way != rows.end());
  go_to(walker, rows, way->before);
  walker.apply(way->what);
  REQUIRE(walker.state() == state);
}

}  // namespace

TEST_CASE("the table of states says what a hub does, row by row",
          "[orders][guard][ENF-5][INS-4][INS-5][INS-6][INS-7]") {
  const auto rows = table();
  CHECK(rows.size() >= 30);
  for (const Row& row : rows) {
    Walker walker;
    CAPTURE(row.before, row.what, row.after);
    go_to(walker, rows, row.before);
    CHECK(walker.state() == row.before);
    walker.apply(row.what);
    CHECK(walker.state() == row.after);
  }
}

TEST_CASE("a hub is in the same state when it has read its orders anew", "[orders][AVA-3]") {
  const auto rows = table();
  for (const char* state : {"accepted: open", "accepted: paused", "accepted: paused_by_resident",
                            "accepted: consent_withdrawn", "released: no_assignment"}) {
    Walker walker;
    go_to(walker, rows, state);
    walker.reopen();
    CHECK(walker.state() == state);
  }
}
