#include "firmware/fuse/judge.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/unique_fd.h"
#include "firmware/fuse/descriptors.h"
#include "firmware/fuse/feed.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;
using namespace tillsyn::fuse;
using namespace std::chrono_literals;

TEST_CASE("a gate that is fed and holds no camera lives, in the dark", "[fuse]") {
  Judge judge(0ms);
  for (Milliseconds now = 0ms; now < 100s; now += 100ms) {
    judge.hear(kVerdictClosed, now);
    judge.see(false, now);
    REQUIRE(judge.fault(now + 99ms) == nullptr);
    REQUIRE_FALSE(judge.light_needed(now));
  }
}

TEST_CASE("a gate that stops judging is killed after a second", "[fuse][ENF-1]") {
  Judge judge(0ms);
  judge.hear(kVerdictOpen, 5s);
  CHECK(judge.fault(6s) == nullptr);
  CHECK(judge.fault(6001ms) != nullptr);
}

TEST_CASE("a gate may take its time to start, but not for ever", "[fuse]") {
  const Judge judge(0ms);
  CHECK(judge.fault(60s) == nullptr);
  CHECK(judge.fault(60001ms) != nullptr);
}

TEST_CASE("a camera held while the verdict is closed is killed after a second", "[fuse][ENF-1][ENF-2]") {
  Judge judge(0ms);
  Milliseconds now = 0ms;
  const auto step = [&](std::uint8_t verdict) {
    now += 100ms;
    judge.hear(verdict, now);
    judge.see(true, now);
    return judge.fault(now);
  };
  for (int i = 0; i < 100; ++i) REQUIRE(step(kVerdictOpen) == nullptr);
  for (int i = 0; i < 10; ++i) REQUIRE(step(kVerdictClosed) == nullptr);
  CHECK(step(kVerdictClosed) != nullptr);
}

TEST_CASE("a camera held before the first verdict is killed", "[fuse][ENF-1]") {
  Judge judge(0ms);
  judge.see(true, 500ms);
  CHECK(judge.fault(500ms) == nullptr);
  judge.see(true, 1100ms);
  CHECK(judge.fault(1100ms) != nullptr);
}

TEST_CASE("a camera given back in time is forgiven", "[fuse]") {
  Judge judge(0ms);
  judge.hear(kVerdictOpen, 0ms);
  judge.see(true, 0ms);
  judge.hear(kVerdictClosed, 100ms);
  judge.see(true, 900ms);
  judge.hear(kVerdictClosed, 900ms);
  judge.see(false, 1000ms);
  judge.hear(kVerdictClosed, 1500ms);
  judge.see(true, 1600ms);
  CHECK(judge.fault(1900ms) == nullptr);
}

TEST_CASE("a byte that is not in the feed is a fault", "[fuse]") {
  for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{'O'}, kLightLit, std::uint8_t{255}}) {
    Judge judge(0ms);
    judge.hear(byte, 10ms);
    CHECK(judge.fault(10ms) != nullptr);
  }
}

TEST_CASE("the light is needed from the request until the camera is given back", "[fuse][ENF-7]") {
  Judge judge(0ms);
  judge.hear(kVerdictOpen, 0ms);
  CHECK_FALSE(judge.light_needed(0ms));
  judge.hear(kLightWanted, 100ms);
  CHECK(judge.light_needed(100ms));
  CHECK(judge.light_needed(3000ms));
  CHECK_FALSE(judge.light_needed(3100ms));
  judge.see(true, 5s);
  CHECK(judge.light_needed(1h));
  judge.see(false, 1h);
  CHECK_FALSE(judge.light_needed(1h));

  judge.hear(kLightWanted, 2h);
  judge.see(true, 2h + 100ms);
  judge.see(false, 2h + 200ms);
  CHECK_FALSE(judge.light_needed(2h + 200ms));
}

TEST_CASE("the light follows a camera that nobody announced", "[fuse][ENF-7]") {
  Judge judge(0ms);
  judge.hear(kVerdictClosed, 0ms);
  judge.see(true, 10ms);
  CHECK(judge.light_needed(10ms));
}

TEST_CASE("a camera is found among the descriptors by whatever name it was opened", "[fuse][ENF-7]") {
  const test::TempDir dir;
  std::ofstream(dir / "camera") << "pictures";
  std::ofstream(dir / "other") << "no pictures";
  std::filesystem::create_symlink(dir / "camera", dir / "alias");
  const std::vector<std::string> cameras{dir / "missing", dir / "alias"};

  const UniqueFd other(open((dir / "other").c_str(), O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(*holds_camera(getpid(), cameras));
  UniqueFd camera(open((dir / "camera").c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(*holds_camera(getpid(), cameras));
  std::filesystem::rename(dir / "camera", dir / "renamed");
  std::filesystem::remove(dir / "alias");
  std::filesystem::create_symlink(dir / "renamed", dir / "alias");
  CHECK(*holds_camera(getpid(), cameras));
  camera.reset();
  CHECK_FALSE(*holds_camera(getpid(), cameras));
}

TEST_CASE("a process whose descriptors cannot be read is an error", "[fuse]") {
  CHECK(holds_camera(-1, {}).error().code == Code::kUnavailable);
}
