#include <signal.h>

#include <thread>

#include "tests/unit/gate/program_rig.h"

using namespace tillsyn;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;
using ipc::MessageType;

namespace {

ByteView frame_of(const Bytes& message) { return ByteView(message).subspan(16); }

// Takes the next picture of a running view.
sframe::Opened next_picture(Night& night, Browser& browser) {
  const Bytes message = night.link->await(MessageType::kFrame);
  CHECK(std::equal(browser.stream.begin(), browser.stream.end(), message.begin()));
  return browser.decrypt(frame_of(message));
}

orders::Event event(Night& night, const std::string& kind) {
  return must(orders::parse_event(night.link->payload(MessageType::kEvent, "\\\"kind\\\":\\\"" + kind + "\\\"")));
}

}  // namespace

TEST_CASE("an operator sees the room, encrypted, until the consent is withdrawn",
          "[gate][program][ENF-1][ENF-5][ENF-7][VID-2]") {
  Night night;
  CHECK(night.link->poll().at("state") == "accepted");
  CHECK_FALSE(night.programs.light_is_on());
  Browser browser;
  const auto answer = night.ask(browser);
  INFO(answer.reason.value_or("open"));
  REQUIRE(answer.open);
  CHECK(night.programs.light_is_on());
  CHECK(event(night, "view_started").who == night.olle.person);

  bool echoed = false;
  for (std::uint64_t expected = 0; expected < 30 || !echoed; ++expected) {
    REQUIRE(expected < 300);
    const auto opened = next_picture(night, browser);
    CHECK(opened.ctr == expected);
    REQUIRE(opened.plaintext.size() > 12);
    CHECK(read_u32(ByteView(opened.plaintext).subspan(8)) == 1);  // Annex B start code
    echoed = read_u64(opened.plaintext) > 0;
    if (expected % 5 == 0) night.link->send(MessageType::kLife, browser.life(opened.ctr));
  }
  const auto start = std::chrono::steady_clock::now();
  night.link->send(MessageType::kOrder, night.withdrawal().text);
  night.link->await(MessageType::kStreamEnd);
  CHECK(std::chrono::steady_clock::now() - start < 1s);
  const auto ended = event(night, "view_ended");
  CHECK(ended.reason == "withdrawn");
  CHECK(ended.who == night.olle.person);
  CHECK(night.ask(browser).reason == "consent_withdrawn");
}

TEST_CASE("a view is cut at the window's end, and no picture of that instant or later leaves the hub",
          "[gate][program][ENF-1][ENF-2][LOG-2][LOG-3][LOG-10]") {
  // The hub's clock is moved so that its window of a minute ends some seconds after it has been set up.
  const auto real = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto second = real - std::chrono::floor<std::chrono::minutes>(real);
  Night night({.clock_ahead = 45s - second, .window = 1min});
  Browser browser;
  const auto answer = night.ask(browser);
  REQUIRE(answer.open);
  const Instant end{std::chrono::milliseconds(answer.open->until_ms)};
  CHECK(end == std::chrono::ceil<std::chrono::minutes>(night.maker.now));
  CHECK(event(night, "window_opened").window->id == "now");
  bool over = false;
  std::uint64_t pictures = 0;
  while (!over) {
    const Bytes message = night.link->await(MessageType::kFrame);
    const auto opened = browser.decrypt(frame_of(message));
    const auto info = must(sframe::decode_frame(frame_of(message))).info;
    over = info.flags == sframe::kEnd;
    if (over) break;
    CHECK(opened.ctr == pictures++);
    const Instant captured = Instant(std::chrono::milliseconds(*answer.utc_ms)) +
                             std::chrono::milliseconds(static_cast<std::int64_t>(info.capture_ms) - answer.mono);
    CHECK(captured < end);
    if (pictures % 10 == 0) night.link->send(MessageType::kLife, browser.life());
  }
  CHECK(night.hub_time() < end + 1s);
  CHECK(night.hub_time() >= end);
  CHECK(pictures > 15);
  CHECK(event(night, "view_ended").reason == "window_end");
  CHECK(event(night, "window_closed").window->id == "now");
  const auto refused = night.ask(browser);
  CHECK(refused.reason == "outside_window");
  CHECK(refused.next_ms == (end - 1min + 24h).time_since_epoch().count());
}

TEST_CASE("a clock that steps ends a view, and keeps it closed until the time service speaks",
          "[gate][program][ENF-4]") {
  Night night;
  Browser browser;
  REQUIRE(night.ask(browser).open);
  night.programs.set_clock(10s, true);
  night.link->await(MessageType::kStreamEnd);
  CHECK(event(night, "clock_untrusted").reason == "stepped");
  CHECK(night.ask(browser).reason == "clock_untrusted");
  CHECK(night.link->poll().at("clock") == "untrusted");
  night.programs.set_clock(0s, false);
  CHECK(night.link->poll().at("clock") == "untrusted");  // the hub has looked at its clock
  night.programs.set_clock(0s, true);
  const auto patience = std::chrono::steady_clock::now() + 10s;
  while (night.link->poll().at("clock") == "untrusted") REQUIRE(std::chrono::steady_clock::now() < patience);
  CHECK(night.ask(browser).reason.value_or("open") == "open");
}

TEST_CASE("a killed gate is dark, comes back with its orders and its log, and has forgotten every challenge",
          "[gate][program][ENF-1][ENF-8][AVA-3]") {
  Night night;
  Browser browser;
  REQUIRE(night.ask(browser).open);
  const auto events = night.link->poll().at("events").get<std::int64_t>();
  const pid_t before = night.programs.gate_process();
  REQUIRE(kill(before, SIGKILL) == 0);
  CHECK(night.link->is_dropped());
  const auto patience = std::chrono::steady_clock::now() + 20s;
  while (night.programs.gate_process() == before || night.programs.gate_process() == 0) {
    REQUIRE(std::chrono::steady_clock::now() < patience);
    std::this_thread::sleep_for(5ms);
  }
  night.link.emplace(night.programs);
  const Json status = night.link->poll();
  CHECK(status.at("state") == "accepted");
  CHECK(status.at("views") == 0);
  CHECK(status.at("ledger").at("size") == night.log.point().size);
  CHECK(night.programs.light_goes_out());
  std::int64_t n = 0;
  while (n < events + 1) CHECK(must(orders::parse_event(night.link->payload(MessageType::kEvent))).n == ++n);
  CHECK(night.ask(browser).reason.value_or("open") == "open");
}

TEST_CASE("events are sent anew from the last one that was acknowledged", "[gate][program][ENF-8]") {
  Night night;
  const auto newest = night.link->poll().at("events").get<std::int64_t>();
  REQUIRE(newest > 5);
  Bytes acknowledged;
  append_u64(acknowledged, 5);
  night.link->send(MessageType::kEventsAcked, acknowledged);
  CHECK(night.link->poll().at("events_acked") == 5);
  night.link.emplace(night.programs);
  CHECK(must(orders::parse_event(night.link->payload(MessageType::kEvent))).n == 6);
}

TEST_CASE("a link that goes away ends the view; one that floods nonsense is dropped", "[gate][program]") {
  Night night;
  Browser browser;
  REQUIRE(night.ask(browser).open);
  SECTION("goes away") {
    night.link.emplace(night.programs);
    CHECK(event(night, "view_ended").reason == "viewer_gone");
    CHECK(night.link->poll().at("views") == 0);
  }
  SECTION("speaks nonsense") {
    for (int i = 0; i < 10; ++i) night.link->send(MessageType::kOrder, std::string("{}"));
    CHECK(night.link->poll().at("views") == 1);
    CHECK(night.link->flood_until_dropped(MessageType::kOffer, "{}", 100));
    night.link.emplace(night.programs);
    CHECK(night.link->poll().at("state") == "accepted");
  }
  CHECK(night.programs.light_goes_out());
}

TEST_CASE("a full disk closes the camera and acknowledges nothing, until there is room again",
          "[gate][program][ENF-8][AVA-3]") {
  Night night({.max_file = 3'000'000});
  Browser browser;
  REQUIRE(night.ask(browser).open);
  night.fill_disk();
  CHECK(night.link->poll().at("faults").dump().find("store_fault") != std::string::npos);
  CHECK(night.link->poll().at("views") == 0);
  CHECK(night.programs.light_goes_out());
  CHECK(night.ask(browser).reason == "store_fault");
  night.programs.allow_files_to_grow();
  CHECK(night.link->is_dropped());
  night.link.emplace(night.programs);
  CHECK(event(night, "view_ended").reason == "fault");
  CHECK(night.link->poll().at("faults").empty());
  CHECK(night.ask(browser).reason.value_or("open") == "open");
}
