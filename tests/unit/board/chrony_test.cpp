#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>

#include "tests/unit/board/chrony_kit.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;
using namespace tillsyn::board;
using namespace tillsyn::board_test;
using namespace std::chrono_literals;

namespace {

const Instant kUpdate = *parse_instant("2026-11-22T20:00:00Z");
constexpr std::uint32_t kSequence = 0x01020304;

Result<ChronyTracking> decoded(const Says& says) { return decode_tracking(answer(kSequence, says), kSequence); }

template <typename Change>
Says but(Change change) {
  Says says;
  change(says);
  return says;
}

// What the word makes of a sample taken at `since` after the update, both clocks alike.
ClockSample completed(const ChronyWord& word, Milliseconds since) {
  ClockSample sample{kUpdate + since, 1000s + since};
  word.complete(sample);
  return sample;
}

ChronyWord heard(const Says& says, Milliseconds since) {
  ChronyWord word;
  word.heard(*decoded(says), {kUpdate + since, 1000s + since});
  return word;
}

// A source that asks a played chronyd in a folder of its own.
struct Asked {
  Asked() : source(*ChronyClockSource::open(folder / "chronyd.sock")) {}

  // Lets the source go on until it has asked, which it does once a second.
  std::uint32_t asked() {
    const auto enough = monotonic_raw() + 5s;
    while (monotonic_raw() < enough) {
      source->sample();
      if (const auto question = chronyd.question()) return sequence_of(*question);
    }
    FAIL("no question came");
    return 0;
  }

  // A clock that was updated just now.
  Bytes good_answer(std::uint32_t sequence) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(read_clocks().utc.time_since_epoch());
    return answer(sequence, but([&](Says& says) { says.seconds_low = static_cast<std::uint32_t>(now.count()); }));
  }

  bool is_synchronised() { return source->sample().synchronised; }
  std::string word() { return source->sample().word; }

  test::TempDir folder;
  FakeChronyd chronyd{folder / "chronyd.sock"};
  std::unique_ptr<ClockSource> source;
  std::string own = folder / "tillsyn-gate.sock";
};

}  // namespace

TEST_CASE("a question is as long as its answer, and says which it is", "[board][ENF-4]") {
  const auto question = encode_tracking_request(kSequence);
  CHECK(to_hex(ByteView(question).first(20)) ==
        "0601000000210000"
        "01020304"
        "0000000000000000");
  CHECK(std::ranges::all_of(ByteView(question).subspan(20), [](auto byte) { return byte == 0; }));
}

TEST_CASE("an answer says state, last update, correction and root distance", "[board][ENF-4]") {
  const auto tracking = decoded(but([](Says& says) {
    says.nanoseconds = 250'999'999;
    says.correction = -1.5;
    says.root_delay = 0.25;
    says.root_dispersion = 0.0625;
  }));
  REQUIRE(tracking.ok());
  CHECK(tracking->is_synchronised());
  CHECK(tracking->stratum == 2);
  CHECK(tracking->reference_time == kUpdate + 250ms);
  CHECK(tracking->correction == -1500ms);
  CHECK(tracking->root_distance == 188ms);  // 187.5, rounded up
  CHECK(decoded(but([](Says& says) { says.seconds_high = 0x7fffffff; }))->reference_time == kUpdate);
}

TEST_CASE("whoever follows nobody, or only itself, is not synchronised", "[board][ENF-4]") {
  CHECK_FALSE(decoded(but([](Says& says) { says.leap = 3; }))->is_synchronised());
  CHECK_FALSE(decoded(but([](Says& says) { says.stratum = 0; }))->is_synchronised());
  CHECK_FALSE(decoded(but([](Says& says) { says.reference_id = 0x7f7f0101; }))->is_synchronised());
  CHECK(decoded(but([](Says& says) { says.leap = 1; }))->is_synchronised());
}

TEST_CASE("an answer that is not exact is refused", "[board][ENF-4]") {
  const Bytes good = answer(kSequence);
  REQUIRE(good.size() == kTrackingBytes);
  REQUIRE(decode_tracking(good, kSequence).ok());
  for (std::size_t size = 0; size < good.size(); ++size)
    REQUIRE_FALSE(decode_tracking(ByteView(good).first(size), kSequence).ok());
  Bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(decode_tracking(longer, kSequence).ok());
  CHECK_FALSE(decode_tracking(good, kSequence + 1).ok());
  for (const std::size_t at :
       std::initializer_list<std::size_t>{0, 1, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19, 52, 54, 56, 64}) {
    INFO("byte " << at);
    Bytes changed = good;
    changed[at] ^= 0x40;
    CHECK_FALSE(decode_tracking(changed, kSequence).ok());
  }
}

TEST_CASE("figures that no clock has are refused", "[board][ENF-4]") {
  CHECK_FALSE(decoded(but([](Says& says) { says.stratum = 16; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.leap = 4; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.nanoseconds = 1'000'000'000; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.seconds_high = 0x40; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.seconds_high = 0x80000000; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.correction = 1e11; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.correction = -1e11; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.root_delay = -0.001; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.root_dispersion = -1; })).ok());
  CHECK_FALSE(decoded(but([](Says& says) { says.root_dispersion = 1e11; })).ok());
  CHECK(decoded(but([](Says& says) { says.correction = 1.8e9; })).ok());  // a first boot in 1970
}

TEST_CASE("the error is the machine's from chrony's time and chrony's from the world's", "[board][ENF-4]") {
  const auto error = [](double correction, double delay, double dispersion) {
    const Says says = but([&](Says& it) {
      it.correction = correction;
      it.root_delay = delay;
      it.root_dispersion = dispersion;
    });
    return completed(heard(says, 10s), 10s).max_error;
  };
  CHECK(error(0.25, 0.5, 0.125) == 625ms);
  CHECK(error(-0.75, 0.5, 0.25) == 1250ms);

  ClockJudge judge(kUpdate);
  CHECK(judge.judge(completed(heard(but([](Says& it) { it.correction = -0.999; }), 10s), 10s)) ==
        ClockState::kNeverSynchronised);
  CHECK(judge.judge(completed(heard({}, 10s), 10s)) == ClockState::kTrusted);
}

TEST_CASE("chrony's word lapses five seconds after its answer, and an hour after its update", "[board][ENF-4]") {
  const ChronyWord word = heard({}, 10s);
  CHECK(completed(word, 15s).synchronised);
  CHECK_FALSE(completed(word, 15s + 1ms).synchronised);
  CHECK(std::string(completed(word, 16s).word) == "no_answer");
  CHECK(completed(heard({}, 1h - 1ms), 1h - 1ms).synchronised);
  CHECK(std::string(completed(heard({}, 1h), 1h + 1s).word) == "no_update");
  CHECK(std::string(completed(heard({}, 1h + 1s), 1h + 1s).word) == "no_update");
  CHECK(std::string(completed(heard(but([](Says& says) { says.leap = 3; }), 1s), 1s).word) == "not_synchronised");
  CHECK(std::string(completed(ChronyWord(), 1s).word) == "no_answer");
}

TEST_CASE("an update of a time to come is none, now and when that time has come", "[board][ENF-4]") {
  CHECK(completed(heard({}, -500ms), -500ms).synchronised);
  ChronyWord word = heard({}, -2s);
  CHECK_FALSE(completed(word, -2s).synchronised);
  word.heard(*decoded({}), {kUpdate + 10s, 1010s});
  CHECK_FALSE(completed(word, 10s).synchronised);
  const Says next = but([](Says& says) { says.seconds_low += 64; });
  word.heard(*decoded(next), {kUpdate + 70s, 1070s});
  CHECK(completed(word, 70s).synchronised);
}

TEST_CASE("the update that stepped the clock does not vouch for it; the one after it does", "[board][ENF-4]") {
  const Milliseconds step = GENERATE(Milliseconds(10min), Milliseconds(-10min), Milliseconds(2s));
  const bool moves_its_update_along = GENERATE(true, false);
  ChronyWord word = heard({}, 30s);
  ClockJudge judge(kUpdate - 24h);
  REQUIRE(judge.judge(completed(word, 30s)) == ClockState::kTrusted);

  ClockSample sample{kUpdate + 64s + step, 1064s};
  word.complete(sample);
  REQUIRE(judge.judge(sample) == ClockState::kStepped);
  const auto hears = [&](Milliseconds passed, Milliseconds update) {
    const auto at = std::chrono::duration_cast<std::chrono::seconds>(update).count();
    const Says says = but([&](Says& it) { it.seconds_low += static_cast<std::uint32_t>(at); });
    ClockSample now{kUpdate + passed + step, 1000s + passed};
    word.heard(*decoded(says), now);
    word.complete(now);
    return judge.judge(now);
  };
  CHECK(hears(65s, moves_its_update_along ? 64s + step : 64s) == ClockState::kStepped);
  CHECK(hears(100s, moves_its_update_along ? 64s + step : 64s) == ClockState::kStepped);
  CHECK(hears(130s, 128s + step) == (step < 0s ? ClockState::kBeforeFloor : ClockState::kTrusted));
}

TEST_CASE("a step that chrony has not noticed is not vouched for by its old update", "[board][ENF-4]") {
  ChronyWord word = heard({}, 300s);
  ClockJudge judge(kUpdate - 24h);
  REQUIRE(judge.judge(completed(word, 300s)) == ClockState::kTrusted);
  for (Milliseconds passed = 301s; passed < 2h; passed += 1s) {
    ClockSample now{kUpdate + passed - 600s, 1000s + passed};
    word.heard(*decoded({}), now);
    word.complete(now);
    REQUIRE(judge.judge(now) == ClockState::kStepped);
  }
}

TEST_CASE("a source asks, and takes the answer to its question", "[board][ENF-4]") {
  Asked it;
  CHECK_FALSE(it.is_synchronised());
  it.chronyd.send(it.good_answer(it.asked()));
  CHECK(it.is_synchronised());
  CHECK(it.source->sample().updated_at.has_value());
  CHECK(it.word() == "synchronised");
  it.chronyd.send(it.good_answer(it.asked()));
  CHECK(it.is_synchronised());
}

TEST_CASE("nothing but the answer is believed", "[board][ENF-4]") {
  Asked it;
  const std::uint32_t sequence = it.asked();

  SECTION("silence") { CHECK(it.word() == "no_answer"); }
  SECTION("another question's answer") {
    it.chronyd.send(it.good_answer(sequence + 1));
    CHECK(it.word() == "not_understood");
  }
  SECTION("an answer cut short, too long, or empty") {
    Bytes longer = it.good_answer(sequence);
    longer.push_back(0);
    it.chronyd.send(longer);
    it.chronyd.send(ByteView(longer).first(103));
    it.chronyd.send({});
    CHECK(it.word() == "not_understood");
  }
  SECTION("the right answer from another address") {
    send_from(it.folder / "chronyd.soc", it.own, it.good_answer(sequence));
    send_from("", it.own, it.good_answer(sequence));
    CHECK(it.word() == "no_answer");
  }
  SECTION("a refusal") {
    Bytes refusal = it.good_answer(sequence);
    refusal[9] = 2;
    it.chronyd.send(refusal);
    CHECK(it.word() == "not_understood");
  }
  CHECK_FALSE(it.is_synchronised());
  it.chronyd.send(it.good_answer(sequence));
  CHECK(it.is_synchronised());
}

TEST_CASE("an answer counts once, and one that comes after the next question not at all", "[board][ENF-4]") {
  Asked it;
  const std::uint32_t first = it.asked();
  const std::uint32_t second = it.asked();
  CHECK(first != second);
  it.chronyd.send(it.good_answer(first));
  CHECK_FALSE(it.is_synchronised());
  it.chronyd.send(it.good_answer(second));
  CHECK(it.is_synchronised());
  it.chronyd.send(answer(second, but([](Says& says) { says.leap = 3; })));
  CHECK(it.is_synchronised());
}

TEST_CASE("a socket that talks without end keeps nobody waiting, and is not believed", "[board][ENF-4]") {
  Asked it;
  it.asked();
  for (int i = 0; i < 100; ++i) {
    send_from("", it.own, Bytes(1000, 0xff));
    const auto before = monotonic_raw();
    REQUIRE_FALSE(it.is_synchronised());
    REQUIRE(monotonic_raw() - before < 1s);
  }
}

TEST_CASE("chronyd that is not there yet, or goes and comes, is found again", "[board][ENF-4]") {
  test::TempDir folder;
  const auto source = ChronyClockSource::open(folder / "chronyd.sock");
  REQUIRE(source.ok());
  CHECK_FALSE((*source)->sample().synchronised);
  FakeChronyd late(folder / "chronyd.sock");
  const auto enough = monotonic_raw() + 5s;
  std::optional<Bytes> question;
  while (!question && monotonic_raw() < enough) {
    (*source)->sample();
    question = late.question();
  }
  CHECK(question.has_value());
}

TEST_CASE("a source takes the place of one that was left behind, and needs the folder", "[board][ENF-4]") {
  test::TempDir folder;
  { std::ignore = ChronyClockSource::open(folder / "chronyd.sock"); }
  CHECK_FALSE(std::filesystem::exists(folder / "tillsyn-gate.sock"));
  send_from(folder / "tillsyn-gate.sock", (FakeChronyd(folder / "x"), folder / "x"), Bytes(1));
  REQUIRE(std::filesystem::exists(folder / "tillsyn-gate.sock"));
  const auto source = ChronyClockSource::open(folder / "chronyd.sock");
  REQUIRE(source.ok());
  struct stat own {};
  REQUIRE(stat((folder / "tillsyn-gate.sock").c_str(), &own) == 0);
  CHECK((own.st_mode & 0777) == 0666);
  CHECK_FALSE(ChronyClockSource::open(folder / "absent/chronyd.sock").ok());
  CHECK_FALSE(ChronyClockSource::open("/" + std::string(200, 'x') + "/chronyd.sock").ok());
}
