#include "relay/http/turns.h"

#include <catch2/catch.hpp>

namespace tillsyn::http {
namespace {

using std::chrono::milliseconds;

// Jobs by name, and the order in which they were given out.
struct Queue {
  Turns turns;
  explicit Queue(std::size_t most_at_once = 1) : turns(most_at_once) {}

  void add(const Share& share, const std::string& name, int times = 1) {
    for (int i = 0; i < times; ++i) turns.add(share, {[this, name] { order.push_back(name); }, [] {}});
  }
  // Takes `count`, each of which takes `took`, or `slow` if it is nord's.
  void run(int count, milliseconds took = milliseconds(1), milliseconds slow = milliseconds(1)) {
    for (int i = 0; i < count; ++i) {
      auto turn = turns.take();
      if (!turn) return;
      turn->task.run();
      turns.ended(turn->share, turn->share.provider == "nord" ? slow : took);
    }
  }
  auto count(const std::string& name) const { return std::count(order.begin(), order.end(), name); }

  std::vector<std::string> order;
};

Share share(Urgency urgency, const char* provider, const char* caller = "c") { return {urgency, provider, caller}; }

TEST_CASE("a provider that floods leaves the others their turns", "[http][AVA-6]") {
  Queue queue;
  queue.add(share(Urgency::kList, "nord"), "flood", 1000);
  queue.run(100);
  queue.add(share(Urgency::kAct, "syd"), "mark", 5);
  queue.run(10);
  CHECK(queue.count("mark") == 5);
}

TEST_CASE("time counts, not jobs: dear reads of one do not make the cheap ones of another wait", "[http][AVA-6]") {
  Queue queue;
  queue.add(share(Urgency::kHub, "nord"), "dear", 1000);
  queue.run(3, milliseconds(1), milliseconds(50));
  queue.add(share(Urgency::kList, "syd"), "cheap", 100);
  queue.run(102, milliseconds(1), milliseconds(50));
  CHECK(queue.count("cheap") >= 99);
  CHECK(queue.count("dear") >= 5);  // and is not kept from its own
}

TEST_CASE("who was quiet has saved nothing up", "[http][AVA-6]") {
  Queue queue;
  queue.add(share(Urgency::kList, "nord"), "nord", 1000);
  queue.run(500);
  queue.add(share(Urgency::kList, "syd"), "syd", 1000);
  queue.run(100);
  CHECK(std::abs(queue.count("syd") - 50) <= 1);
}

TEST_CASE("strangers are one provider, and take turns by where they come from", "[http][AVA-6]") {
  Queue queue;
  for (int i = 0; i < 100; ++i) queue.add(share(Urgency::kAct, "", std::to_string(i).c_str()), "stranger", 10);
  queue.add(share(Urgency::kAct, "syd"), "mark", 10);
  queue.add(share(Urgency::kAct, "", "office"), "login", 1);
  queue.run(20);
  CHECK(queue.count("mark") >= 9);
  queue.run(110);
  CHECK(queue.count("login") == 1);
}

TEST_CASE("within a provider views come before hubs, hubs before what staff do, that before lists", "[http][AVA-6]") {
  Queue queue;
  queue.add(share(Urgency::kList, "nord"), "list", 1000);
  queue.add(share(Urgency::kAct, "nord"), "act", 1000);
  queue.add(share(Urgency::kHub, "nord"), "hub", 1000);
  queue.add(share(Urgency::kView, "nord"), "view", 1000);
  queue.run(4);
  CHECK(queue.order == std::vector<std::string>{"view", "hub", "act", "list"});
  queue.run(296);
  CHECK(queue.count("view") > queue.count("hub"));
  CHECK(queue.count("hub") > queue.count("act"));
  CHECK(queue.count("act") > queue.count("list"));
  CHECK(queue.count("list") >= 10);  // none is kept waiting for ever
}

TEST_CASE("a view's job that comes in the middle of a flood of polls is next", "[http][AVA-6]") {
  Queue queue;
  queue.add(share(Urgency::kHub, "nord"), "hub", 1000);
  queue.run(500);
  queue.add(share(Urgency::kView, "nord"), "view");
  queue.run(2);
  CHECK(queue.count("view") == 1);
}

TEST_CASE("one caller's flood leaves its colleagues their turns, and its own jobs their order", "[http][AVA-6]") {
  Queue queue;
  for (int i = 0; i < 50; ++i) queue.add(share(Urgency::kAct, "nord", "script"), "script " + std::to_string(i));
  queue.add(share(Urgency::kAct, "nord", "anna"), "anna");
  queue.run(3);
  CHECK(queue.order == std::vector<std::string>{"script 0", "anna", "script 1"});
  queue.run(48);
  CHECK(queue.order.back() == "script 49");
}

TEST_CASE("the relay's own jobs go before all, in their order", "[http][AVA-6]") {
  Queue queue;
  queue.add(share(Urgency::kView, "nord"), "view", 10);
  queue.add(Share(), "evaluate");
  queue.add(Share(), "webhooks");
  queue.run(2);
  CHECK(queue.order == std::vector<std::string>{"evaluate", "webhooks"});
}

TEST_CASE("a provider has no more under way than it may", "[http][AVA-6]") {
  Queue queue(1);
  queue.add(share(Urgency::kAct, "nord"), "slow", 2);
  const auto slow = queue.turns.take();
  REQUIRE(slow);
  CHECK_FALSE(queue.turns.take());
  CHECK_FALSE(queue.turns.is_empty());
  queue.add(share(Urgency::kAct, "syd"), "other");
  CHECK(queue.turns.take());
  queue.turns.ended(slow->share, milliseconds(1));
  CHECK(queue.turns.take());
  CHECK(queue.turns.is_empty());
}

TEST_CASE("what waits is counted by provider, and by caller for its urgency", "[http][AVA-6]") {
  Queue queue;
  queue.add(share(Urgency::kAct, "nord", "anna"), "a", 3);
  queue.add(share(Urgency::kList, "nord", "anna"), "b", 2);
  queue.add(share(Urgency::kAct, "nord", "bo"), "c", 1);
  CHECK(queue.turns.waiting(share(Urgency::kAct, "nord", "anna")).of_provider == 6);
  CHECK(queue.turns.waiting(share(Urgency::kAct, "nord", "anna")).of_caller == 3);
  CHECK(queue.turns.waiting(share(Urgency::kAct, "syd", "anna")).of_provider == 0);
  queue.run(6);
  CHECK(queue.turns.waiting(share(Urgency::kAct, "nord", "anna")).of_provider == 0);
}

}  // namespace
}  // namespace tillsyn::http
