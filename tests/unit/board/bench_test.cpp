#include <fcntl.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "firmware/board/parts.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;
using namespace tillsyn::board;
using namespace std::chrono_literals;

namespace {

struct Bench {
  Bench() {
    board.clock = {"file", dir / "clock.json"};
    board.button = {"fifo", dir / "button", 0};
    board.light = {"file", dir / "light", false};
  }
  // As an editor or a test does it: another file in its place.
  void set_clock(const std::string& text) const {
    std::ofstream(dir / "new") << text;
    std::filesystem::rename(dir / "new", dir / "clock.json");
  }
  void press(const std::string& text) const {
    const UniqueFd fifo(open((dir / "button").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    REQUIRE(write(fifo.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  test::TempDir dir;
  BoardDescription board;
};

}  // namespace

TEST_CASE("a bench clock set before the start is no step; set later it is one", "[board][ENF-4]") {
  const Bench bench;
  bench.set_clock(R"({"offset_ms":-86400000,"synchronised":true})");
  Clock clock(make_clock_source(bench.board).value(), Instant{});
  const ClockReading yesterday = clock.read();
  CHECK(yesterday.is_trusted());
  const auto real = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  CHECK(std::chrono::abs(real - 24h - yesterday.utc) < 5s);

  bench.set_clock(R"({"offset_ms":-86390000,"synchronised":true})");
  CHECK(clock.read().state == ClockState::kStepped);
  CHECK(clock.read().state == ClockState::kStepped);
  bench.set_clock(R"({"offset_ms":-86390000,"synchronised":false})");
  CHECK(clock.read().state == ClockState::kStepped);
  bench.set_clock(R"({"offset_ms":-86390000,"synchronised":true})");
  CHECK(clock.read().is_trusted());
}

TEST_CASE("a bench clock whose file is absent or malformed is not synchronised", "[board][ENF-4]") {
  const Bench bench;
  SECTION("absent") {}
  SECTION("no JSON") { bench.set_clock("soon"); }
  SECTION("another member") { bench.set_clock(R"({"offset_ms":0,"synchronised":true,"trust_me":true})"); }
  SECTION("too far") { bench.set_clock(R"({"offset_ms":9007199254740991,"synchronised":true})"); }
  Clock clock(make_clock_source(bench.board).value(), Instant{});
  CHECK(clock.read().state == ClockState::kNeverSynchronised);
}

TEST_CASE("a bench button takes presses and holds, and ignores the rest", "[board]") {
  const Bench bench;
  auto button = make_button(bench.board).value();
  CHECK_FALSE(button->read()->has_value());
  bench.press("press\nnonsense\nhold\npr");
  CHECK(*button->read() == Press::kShort);
  CHECK(*button->read() == Press::kHeld);
  CHECK_FALSE(button->read()->has_value());
  bench.press("ess\n");
  CHECK(*button->read() == Press::kShort);
}

TEST_CASE("a bench button that is no FIFO is refused", "[board]") {
  const Bench bench;
  std::ofstream(bench.dir / "button") << "press\n";
  CHECK(make_button(bench.board).error().code == Code::kUnavailable);
}

TEST_CASE("a bench light shows itself in its file", "[board][ENF-7]") {
  const Bench bench;
  auto light = make_light(bench.board).value();
  CHECK_FALSE(*light->is_lit());
  REQUIRE(light->set(true).ok());
  std::string word;
  std::ifstream(bench.dir / "light") >> word;
  CHECK(word == "1");
  CHECK(*light->is_lit());
}
