#include "tests/fault/hub.h"

#include <cstdlib>
#include <iostream>
#include <random>

namespace tillsyn::fault {
namespace {

using namespace std::chrono_literals;
using ipc::MessageType;

bool is_long() { return std::getenv("TILLSYN_FAULT_LONG") != nullptr; }

std::mt19937_64& chance() {
  static const auto seed = [] {
    const char* given = std::getenv("TILLSYN_FAULT_SEED");
    const std::uint64_t made = given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
    std::cout << "TILLSYN_FAULT_SEED=" << made << std::endl;
    return made;
  }();
  static std::mt19937_64 random(seed);
  return random;
}

}  // namespace

int times(int briefly, int at_length) { return is_long() ? at_length : briefly; }
int upto(int n) { return static_cast<int>(chance()() % static_cast<std::uint64_t>(n)); }

Town& town() {
  static Town made;
  return made;
}

property::Plan open_now() {
  const auto made = std::chrono::floor<milliseconds>(town().maker.now).time_since_epoch();
  property::Plan plan;
  plan.week = {{property::local_minute(made.count()), 120}};
  return plan;
}

const orders::Order& Hub::next_schedule() {
  if (said.accepted.contains(schedule.hash)) schedule = town().schedule_after(schedule);
  return schedule;
}

void Hub::connect(milliseconds patience) {
  link = Link::connect(programs, said, patience);
  INFO(programs.said());
  REQUIRE(link);
}

void Hub::check_after_restart() {
  link.reset();
  programs.kill_all();
  programs.start();
  check();
}

void Hub::check() {
  Said anew;
  link = Link::connect(programs, anew, 60s);
  INFO(programs.said());
  REQUIRE(link);
  REQUIRE(town().missing(*link, said) == "");
  said.events.insert(anew.events.begin(), anew.events.end());
  said.captures.insert(said.captures.end(), anew.captures.begin(), anew.captures.end());
  REQUIRE(clock.count(said.captures).outside == 0);
  link.reset();
  connect();
}

void Hub::see() {
  REQUIRE(until(
      [&] {
        if (link->is_gone()) connect();
        return look() == "open";
      },
      20s));
  const auto before = link->frames;
  const bool seen = until([&] { return link->listen(20ms), link->frames > before + 3; }, 30s);
  INFO(programs.said());
  REQUIRE(seen);
}

void Hub::count_pictures() {
  if (link) link->listen(300ms);
  const auto [inside, outside, latest] = clock.count(said.captures);
  CHECK(inside > 0);
  CHECK(outside == 0);
  std::cout << inside << " pictures inside, " << outside << " outside; the latest " << latest.count() << " ms after its clock failed"
            << std::endl;
}

std::string Hub::look() {
  gate_test::Browser browser;
  const auto answer = town().ask(*link, browser);
  if (!answer) return "nothing";
  return answer->open ? "open" : *answer->reason;
}

OnOwnFolder::OnOwnFolder() { must_run({"cp", "-a", town().state_template(), path() + "/state"}); }

void talk(Hub& hub, milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end && !hub.link->is_gone()) {
    switch (upto(4)) {
      case 0:
        hub.link->send(MessageType::kOrder, hub.next_schedule().text);
        break;
      case 1:
        if (const auto status = hub.link->poll(200ms))
          hub.link->send(MessageType::kOffer, town().offer(*status, gate_test::Browser()));
        break;
      default:
        hub.link->listen(milliseconds(upto(40)));
    }
  }
}

bool closes_within(const Hub& hub, milliseconds time) {
  return until([&] { return !hub.programs.holds_camera(); }, time);
}

}  // namespace tillsyn::fault
