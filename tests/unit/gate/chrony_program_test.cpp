// The real gate, confined as ever, and a played chronyd.
#include "tests/unit/board/chrony_kit.h"
#include "tests/unit/gate/program_rig.h"

using namespace tillsyn;
using namespace tillsyn::gate_test;
using namespace std::chrono_literals;

namespace {

// A hub whose clock is chrony's; its link asks for the status again and again while chronyd answers.
struct ChronyHub {
  // The status once it says that the clock is in `state`; chronyd answers with `answer`, or is silent.
  bool comes_to(const std::string& state, const std::function<Bytes(std::uint32_t)>& answer) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < end) {
      while (const auto question = chronyd.question()) {
        ++questions;
        if (answer) chronyd.send(answer(board_test::sequence_of(*question)));
      }
      if (link.poll().at("clock") == state) return true;
    }
    return false;
  }

  fakes::OrderMaker maker{*parse_instant("2026-11-22T20:15:00Z")};
  Programs programs{maker.fleet_root, 0ms, {}, {{"clock", {{"kind", "chrony"}, {"path", "chronyd.sock"}}}}};
  Link link{programs};
  board_test::FakeChronyd chronyd{programs.folder.path() + "/chronyd.sock"};
  int questions = 0;
};

Bytes now_updated(std::uint32_t sequence) {
  board_test::Says says;
  says.seconds_low = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(board::read_clocks().utc.time_since_epoch()).count());
  return board_test::answer(sequence, says);
}

}  // namespace

TEST_CASE("a confined gate asks chronyd, and believes what it answers", "[gate][program][ENF-4]") {
  ChronyHub hub;
  const pid_t gate = hub.programs.gate_process();
  REQUIRE(hub.link.poll().at("clock") == "untrusted");
  CHECK(hub.comes_to("trusted", now_updated));
  CHECK(hub.questions > 0);
  CHECK(hub.programs.gate_process() == gate);
}

TEST_CASE("a gate goes on telling that its clock is not trusted while chronyd is silent or talks nonsense",
          "[gate][program][ENF-4]") {
  ChronyHub hub;
  const pid_t gate = hub.programs.gate_process();
  const auto nonsense = [](std::uint32_t sequence) { return Bytes(sequence % 2000, 0x06); };
  while (hub.questions < 3) REQUIRE(hub.comes_to("untrusted", nonsense));
  while (hub.questions < 5) REQUIRE(hub.comes_to("untrusted", nullptr));
  CHECK(hub.programs.gate_process() == gate);
  CHECK(hub.link.poll().at("faults").dump().find("clock_never_synchronised") != std::string::npos);
}
