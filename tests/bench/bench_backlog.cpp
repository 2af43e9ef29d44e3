// Gives a hub that stands still a log as after a long time without a relay: so many events, made as the gate makes them,
// one durable commit each. Prints how long that took.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "firmware/board/key_store.h"
#include "firmware/gate/event_log.h"

using namespace tillsyn;

namespace {

Result<double> fill(const std::string& state, int events) {
  const board::FileKeyPlace place(state);
  TILLSYN_TRY(keys, place.open());
  TILLSYN_TRY(store, gate::Store::open(state + "/gate.db"));
  gate::EventLog log(store, *keys);
  board::ClockReading clock;
  clock.state = board::ClockState::kTrusted;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < events; ++i) {
    clock.utc = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    clock.mono = board::monotonic_raw();
    orders::Event event;
    event.kind = i % 2 == 0 ? "link_lost" : "link_back";
    TILLSYN_CHECK(log.append(event, clock));
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::string state;
  int events = 0;
  CLI::App app("A hub's log after a long time alone");
  app.add_option("--state", state, "The gate's state directory")->required()->check(CLI::ExistingDirectory);
  app.add_option("--events", events)->required();
  CLI11_PARSE(app, argc, argv);
  const auto took = fill(state, events);
  if (!took) return std::fprintf(stderr, "%s\n", took.error().message.c_str()), 1;
  std::printf("{\"ms\":%.1f}\n", *took);
  return 0;
}
