#include "relay/http/workers.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <future>

namespace tillsyn::http {
namespace {

// A disk that notes what is asked of it; all on the worker's thread.
struct Disk {
  bool is_dirty = false;
  bool is_well = true;
  int commits = 0;

  Group group() {
    return {[] {}, [this] { return is_dirty; },
            [this] {
              commits += is_dirty ? 1 : 0;
              is_dirty = false;
              return is_well;
            },
            std::chrono::minutes(1)};
  }
};

struct Rig {
  asio::io_context loop;
  Workers store{1};
  Disk disk;
  std::promise<void> gate;  // the first job waits for it, so that the others wait for the first
  std::vector<std::string> answers;

  Rig() { store.use(disk.group()); }
  ~Rig() { store.stop(); }

  template <typename Job>
  void ask(Job job) {
    asio::co_spawn(
        loop, [this, job]() -> asio::awaitable<void> { answers.push_back(co_await store.run(job)); }, asio::detached);
  }

  void ask_to_wait() {
    ask([open = gate.get_future().share()] {
      open.wait();
      return std::string("waited");
    });
  }

  void run() {
    loop.poll();  // all are asked
    gate.set_value();
    loop.run();
  }
};

TEST_CASE("jobs that wait share one commit, and are answered in their order", "[http][AUD-1]") {
  Rig rig;
  rig.ask_to_wait();
  for (int i = 0; i < 20; ++i) {
    rig.ask([&rig, i] {
      rig.disk.is_dirty = true;
      return std::to_string(i) + " after " + std::to_string(rig.disk.commits);
    });
  }
  rig.run();
  CHECK(rig.disk.commits == 1);
  REQUIRE(rig.answers.size() == 21);
  CHECK(rig.answers[1] == "0 after 0");
  CHECK(rig.answers[20] == "19 after 0");
}

TEST_CASE("what has seen nothing unwritten does not wait for the disk; what may have, does", "[http][AUD-1]") {
  Rig rig;
  int commits_at_first_answer = -1;
  rig.ask_to_wait();
  rig.ask([] { return std::string("read before"); });
  rig.ask([&rig] {
    rig.disk.is_dirty = true;
    return std::string("written");
  });
  rig.ask([&rig, &commits_at_first_answer] {
    commits_at_first_answer = rig.disk.commits;
    return std::string("read after");
  });
  rig.run();
  CHECK(commits_at_first_answer == 0);
  CHECK(rig.answers == std::vector<std::string>{"waited", "read before", "written", "read after"});
}

TEST_CASE("when the commit fails each job runs again and its second answer counts", "[http][AVA-3]") {
  Rig rig;
  rig.disk.is_well = false;
  rig.ask_to_wait();
  for (int i = 0; i < 3; ++i) {
    rig.ask([&rig, i] {
      if (rig.disk.commits > 0) return std::to_string(i) + " failed";
      rig.disk.is_dirty = true;
      return std::string("acknowledged");
    });
  }
  rig.run();
  CHECK(rig.answers == std::vector<std::string>{"waited", "0 failed", "1 failed", "2 failed"});
}

TEST_CASE("without a group each job is answered by itself", "[http]") {
  Rig rig;
  rig.store.use({});
  rig.ask_to_wait();
  rig.ask([] { return std::string("second"); });
  rig.run();
  CHECK(rig.answers == std::vector<std::string>{"waited", "second"});
}

TEST_CASE("who keeps its threads waiting keeps nobody else's, and each of its jobs comes to its turn",
          "[http][AVA-6]") {
  asio::io_context loop;
  Workers workers(2, 1);
  std::promise<void> gate;
  std::vector<std::string> answers;
  const auto ask = [&](const std::string& provider, std::function<std::string()> job) {
    asio::co_spawn(
        loop,
        [&, provider, job]() -> asio::awaitable<void> {
          const Share share(Urgency::kAct, provider, "caller");
          answers.push_back(co_await workers.run(job, share));
        },
        asio::detached);
  };
  const auto wait = [open = gate.get_future().share()] {
    open.wait();
    return std::string("nord");
  };
  for (int i = 0; i < 3; ++i) ask("nord", wait);
  ask("syd", [] { return std::string("syd"); });
  while (answers.empty()) loop.run_one();
  CHECK(answers == std::vector<std::string>{"syd"});
  gate.set_value();
  loop.run();
  CHECK(answers == std::vector<std::string>{"syd", "nord", "nord", "nord"});
  workers.stop();
}

}  // namespace
}  // namespace tillsyn::http
