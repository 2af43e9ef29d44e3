#pragma once

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/property/hub.h"
#include "tests/unit/gate/views_rig.h"

namespace tillsyn::property {

struct Tally {
  std::int64_t steps = 0;
  std::int64_t open_steps = 0;  // with a camera open at their end
  std::int64_t frames = 0;      // that left
  std::int64_t opened = 0;      // answers
  std::int64_t refused = 0;
  std::int64_t paused_steps = 0;  // that the resident's own pause alone kept closed

  void add(const Tally& other);
};

// One hub with its home, and whatever may happen to it, in random steps. After each step what left the gate is held
// against Naive: no picture that was taken when it says closed, no camera open while it says closed, no answer but the
// one that is due, and the orders that it holds. Throws Broken with what was wrong.
class Walk {
 public:
  explicit Walk(std::uint64_t seed);

  // Takes steps; fewer when there is nothing left that could open (the root list has run out).
  void steps(int count);
  const Tally& tally() const { return tally_; }

 private:
  struct Asked {
    orders::Order order;
    std::uint64_t seq = 0;
    std::string time;
  };

  // Steps.
  void step();
  void pass(Ms time);
  void pass_to_edge();
  void ask();
  void ask_badly();
  void ask_again();
  void make_something();
  void deliver_something();
  void upset_clock();
  void upset_hub();
  void mend();
  void mend(const std::string& reason);
  void mend_clock();

  // Orders.
  MadePtr make(Slot slot, orders::Body body, Made facts, std::vector<const fakes::Staff*> signers);
  MadePtr make_consent(bool withdrawn, bool wide);
  MadePtr make_schedule(bool open_now);
  MadePtr make_operator(bool revoked);
  MadePtr make_assignment();
  MadePtr make_acceptance();
  MadePtr make_any();
  TrustMade make_bundle(bool is_good);
  std::string spoil(const orders::Payload& payload, std::vector<const fakes::Staff*> signers);
  void deliver(const MadePtr& made);
  void deliver(const TrustMade& bundle);
  void hold_button();
  void press_button();

  // Views.
  Asked view(const fakes::Staff& viewer, const Json& status, const std::function<void(orders::View&)>& change = {});
  void offer(const Asked& asked, const Json& status);
  void take_answers();
  void opened(const orders::Answer& answer);
  void live();

  void set_up();
  void refresh();
  void log_in();
  void look();
  void check_frames();
  void check_slots(const Json& status);
  void settle() { naive_.settle(hub_->wall.trusted(), steady_now()); }
  std::optional<Ms> now() const { return hub_->wall.trusted(); }
  Ms truth() const { return hub_->wall.truth(); }

  int upto(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }  // 0…n-1
  bool chance(int percent) { return upto(100) < percent; }
  Plan random_plan(bool open_now);
  Terms random_terms(bool wide);
  const fakes::Staff& staff(const std::string& name);

  std::mt19937_64 random_;
  fakes::OrderMaker maker_;
  gate_test::RelayLog log_;
  std::unique_ptr<Hub> hub_;
  Naive naive_;
  fakes::Home home_;
  std::map<std::string, fakes::Staff> staff_;
  Ms logged_in_ = 0;
  int made_ = 0;
  std::map<Slot, MadePtr> newest_;
  std::vector<MadePtr> pool_;
  std::vector<TrustMade> bundles_;
  std::vector<Asked> asked_;
  std::map<std::string, gate_test::Browser> viewers_;  // by stream
  std::map<std::string, gate_test::Browser> waiting_;  // by order: who may be shown something, and has no answer yet
  std::map<std::string, std::string> closed_;          // by order: the reason of an answer
  std::set<std::string> silent_;
  std::map<Ms, std::string> pictures_;  // when taken, and why that was wrong; empty: it was not
  Tally tally_;
};

}  // namespace tillsyn::property
