#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/fault/believed_clock.h"

// One hub that is hurt, and what every fault is asked afterwards. TILLSYN_FAULT_LONG=1 does more of the same,
// TILLSYN_FAULT_SEED repeats a run's choices.
namespace tillsyn::fault {

int times(int briefly, int at_length);
int upto(int n);  // 0…n-1

// The one municipality of this process.
Town& town();

// The plan of the town's first schedule: two hours from the minute on in which it was made.
property::Plan open_now();

// A hub that has what the town's has, in a folder of its own.
struct Hub {
  explicit Hub(const std::string& where) : Hub(where, where + "/state") {}
  Hub(const std::string& where, const std::string& state, const std::optional<CameraAt>& fed = std::nullopt,
      property::Plan plan = open_now())
      : programs(where, state, town().maker.fleet_root, fed), clock(programs, std::move(plan)) {}

  // Everything that it has ever said; `link` is how it is heard now.
  Said said = town().said;
  Programs programs;
  BelievedClock clock;
  std::optional<Link> link;

  // The schedule that it is to have next: the same again until it has said that it has it.
  const orders::Order& next_schedule();
  orders::Order schedule = town().first_schedule();

  void connect(milliseconds patience = std::chrono::seconds(60));
  // Ends what runs, begins anew, and holds the hub against its word.
  void check_after_restart();
  // Holds it against its word, and every picture that it has sent against its clock and plan.
  void check();
  // Looks until there are pictures, as a person does who presses again.
  void see();
  // At the end: how many pictures there were, some of them where they may be and none elsewhere.
  void count_pictures();
  // Asks for a view: "open", the reason why not, or "nothing".
  std::string look();
};

struct OnOwnFolder : gate_test::Folder {
  OnOwnFolder();
};

// Talks to the hub for that long: orders, views, polls. Whatever it says is noted.
void talk(Hub& hub, milliseconds time);

bool closes_within(const Hub& hub, milliseconds time);

}  // namespace tillsyn::fault
