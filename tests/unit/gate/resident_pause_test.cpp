// The resident's own pause.
#include <signal.h>

#include <thread>

#include "tests/unit/gate/program_rig.h"

using namespace tillsyn;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using ipc::MessageType;

namespace {

orders::Event event(Night& night, const std::string& kind) {
  return must(orders::parse_event(night.link->payload(MessageType::kEvent, "\\\"kind\\\":\\\"" + kind + "\\\"")));
}

bool is_paused(Night& night) { return night.link->poll().at("paused_by_resident").get<bool>(); }

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

// A hub that serves somebody, without programs.
struct Inside : HubInside {
  Inside() : HubInside(must(parse_instant("2026-11-22T20:15:00Z"))) { settle(60min); }

  std::string reason() { return gate::judge_opening(inside->standing(), read()).reason; }
  void press() { must(inside->button_pressed(read())); }
};

}  // namespace

TEST_CASE("a press closes a running view within a second, tells the relay at once, and outlives the gate",
          "[gate][program][ENF-6]") {
  Night night;
  Browser browser;
  REQUIRE(night.ask(browser).open);
  const auto start = std::chrono::steady_clock::now();
  night.programs.press_button();
  night.link->await(MessageType::kStreamEnd);
  CHECK(std::chrono::steady_clock::now() - start < 1s);
  const auto told = night.link->await(MessageType::kStatusChanged, [](ByteView body) {
    return text_of(body).find("\"paused_by_resident\":true") != std::string::npos;
  });
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  CHECK(event(night, "resident_paused").resident == night.home.resident);
  CHECK(event(night, "view_ended").reason == "paused_by_resident");
  CHECK(night.ask(browser).reason == "paused_by_resident");
  CHECK(night.programs.light_goes_out());

  const pid_t before = night.programs.gate_process();
  REQUIRE(kill(before, SIGKILL) == 0);
  REQUIRE(comes_true([&] { return night.programs.gate_process() != before && night.programs.gate_process() != 0; }));
  night.link.emplace(night.programs);
  CHECK(is_paused(night));
  CHECK(night.ask(browser).reason == "paused_by_resident");

  night.programs.press_button();
  CHECK(comes_true([&] { return !is_paused(night); }));
  CHECK(event(night, "resident_resumed").resident == night.home.resident);
  CHECK(night.ask(browser).reason.value_or("open") == "open");
}

TEST_CASE("a press that cannot be written is taken when it can", "[gate][program][ENF-6][AVA-3]") {
  Night night({.max_file = 3'000'000});
  Browser browser;
  REQUIRE(night.ask(browser).open);
  night.fill_disk();
  REQUIRE(night.link->poll().at("faults").dump().find("store_fault") != std::string::npos);
  night.programs.press_button();
  REQUIRE(night.ask(browser).reason == "store_fault");
  night.programs.allow_files_to_grow();
  CHECK(night.link->is_dropped());
  night.link.emplace(night.programs);
  CHECK(is_paused(night));
  CHECK(night.ask(browser).reason == "paused_by_resident");
}

TEST_CASE("the pause is on disk with its event, and what is neither pause nor none is a fault of the store",
          "[orders][ENF-6]") {
  Inside hub;
  REQUIRE(hub.reason().empty());
  hub.press();
  CHECK(hub.reason() == "paused_by_resident");
  CHECK(hub.events().back().kind == "resident_paused");
  hub.reopen();
  CHECK(hub.reason() == "paused_by_resident");
  hub.press();
  CHECK(hub.reason().empty());
  CHECK(hub.events().back().kind == "resident_resumed");

  {
    auto database = must(sqlite::Database::open(hub.folder.path() + "/gate.db", {}));
    must(database.run("UPDATE resident_pause SET state = 'goer on'"));
  }
  const auto opened = gate::Home::open({hub.folder.path() + "/gate.db", hub.maker.fleet_root, {}}, *hub.keys);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == Code::kIo);
}

TEST_CASE("under the resident's pause nobody is present, and who was is gone", "[orders][ENF-6][ENF-9]") {
  Inside hub;
  auto& presence = hub.inside->desk.presence();
  CHECK(hub.inside->button_held(hub.boot));
  REQUIRE(presence.is_there(hub.boot));
  hub.press();
  CHECK_FALSE(presence.is_there(hub.boot));
  CHECK_FALSE(hub.inside->button_held(hub.boot));
  CHECK_FALSE(presence.is_there(hub.boot));
  hub.press();
  CHECK_FALSE(presence.is_there(hub.boot));
  CHECK(hub.inside->button_held(hub.boot));
}

TEST_CASE("the clock and the bundle come before the resident's word, every order after it", "[guard][ENF-6][ENF-4]") {
  Inside hub;
  hub.press();
  hub.hand->now.synchronised = false;
  hub.pass(73h);
  CHECK(hub.reason() == "clock_untrusted");
}
