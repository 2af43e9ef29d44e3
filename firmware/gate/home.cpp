#include "firmware/gate/home.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tillsyn::gate {

Home::Home(Store opened, const Settings& settings, const board::KeyStore& keys)
    : store(std::move(opened)),
      trust(settings.fleet_root, store),
      log(store, keys),
      pause(store, log),
      desk({store, log, trust, keys, pause}),
      judge(store),
      windows(store, log) {}

Result<std::unique_ptr<Home>> Home::open(const Settings& settings, const board::KeyStore& keys) {
  TILLSYN_TRY(store, Store::open(settings.store_path));
  std::unique_ptr<Home> home(new Home(std::move(store), settings, keys));
  TILLSYN_CHECK(home->trust.load());
  if (!settings.flashed_root_list.empty()) {
    const auto taken = home->trust.take_flashed_root_list(settings.flashed_root_list);
    if (!taken && taken.error().code == Code::kIo) return taken.error();
    // An image that is older than what came later by the network brings an older list.
    if (!taken) spdlog::info("flashed root list not taken: {}", taken.error().reason);
  }
  TILLSYN_CHECK(home->pause.load());
  TILLSYN_CHECK(home->desk.load());
  TILLSYN_CHECK(home->check_head());
  return home;
}

// Orders that were accepted and are not there any more would bring back what they replaced.
Result<void> Home::check_head() {
  TILLSYN_TRY(newest, store.newest_head());
  if (!newest) return store.add_head(desk.head());
  if (*newest != desk.head()) return Error{Code::kIo, "store_fault", "the orders on disk are not those accepted last"};
  return {};
}

Result<void> Home::button_pressed(const board::ClockReading& clock) {
  const orders::Assignment* assignment = desk.assignment();
  if (assignment == nullptr && !pause.holds()) return {};
  TILLSYN_CHECK(pause.toggle(assignment == nullptr ? std::string() : assignment->resident, clock));
  desk.presence().use();
  return {};
}

bool Home::button_held(std::chrono::milliseconds boot) {
  if (pause.holds()) return false;
  desk.presence().held(boot);
  return true;
}

Result<Instant> Home::floor() {
  TILLSYN_TRY(stored, store.floor());
  Instant floor = stored.value_or(Instant());
  if (trust.root_list() != nullptr) floor = std::max(floor, trust.root_list()->issued_at);
  if (trust.bundle() != nullptr) floor = std::max(floor, trust.bundle()->issued_at);
  return floor;
}

}  // namespace tillsyn::gate
