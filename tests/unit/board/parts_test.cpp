#include "firmware/board/parts.h"

#include <fcntl.h>
#include <linux/input.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/json.h"
#include "firmware/board/key_store.h"
#include "firmware/files/files.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;
using namespace tillsyn::board;
using namespace std::chrono_literals;

namespace {

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string read_file(const std::string& path) { return text_of(**files::read(path, 1 << 20)); }

Json description() { return *parse_json(read_file(TILLSYN_BOARDS "/bench/board.json")); }

bool parses(const Json& json) { return parse_board(json.dump(), "/b").ok(); }

struct KeyDevice {
  KeyDevice() {
    int fds[2];
    REQUIRE(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
    writer.reset(fds[1]);
    button = EvdevButton::adopt(UniqueFd(fds[0]), KEY_PROG1);
  }
  void say(Milliseconds at, std::uint16_t type, std::uint16_t code, std::int32_t value) {
    input_event event{};
    event.input_event_sec = at.count() / 1000;
    event.input_event_usec = at.count() % 1000 * 1000;
    event.type = type;
    event.code = code;
    event.value = value;
    REQUIRE(write(writer.get(), &event, sizeof event) == sizeof event);
  }
  void key(Milliseconds at, std::int32_t value) { say(at, EV_KEY, KEY_PROG1, value); }
  std::optional<Press> press() { return *button->read(); }

  UniqueFd writer;
  std::unique_ptr<Button> button;
};

}  // namespace

TEST_CASE("the boards' own descriptions are well formed", "[board]") {
  for (const auto& entry : std::filesystem::directory_iterator(TILLSYN_BOARDS)) {
    CAPTURE(entry.path().string());
    const auto board = load_board(entry.path().string() + "/board.json");
    REQUIRE(board.ok());
    CHECK(board->name == entry.path().filename());
    CHECK(board->camera_paths.size() == board->cameras.size());
  }
}

TEST_CASE("relative paths count from the description's directory", "[board]") {
  const auto board = parse_board(description().dump(), "/var/lib/tillsyn");
  REQUIRE(board.ok());
  CHECK(board->cameras[0].path == "/var/lib/tillsyn/camera");
  CHECK(board->camera_paths[0] == "/var/lib/tillsyn/camera");
  CHECK(board->button.path == "/var/lib/tillsyn/button");
}

TEST_CASE("a key in a TPM is described by how the TPM is reached, one in a file by nothing more", "[board][INS-2]") {
  Json json = description();
  CHECK(parse_board(json.dump(), "/b")->key.kind == "file");
  json["key"] = {{"kind", "tpm"}, {"tcti", "device:/dev/tpmrm0"}};
  CHECK(parse_board(json.dump(), "/b")->key.tcti == "device:/dev/tpmrm0");
  for (const Json& key : {Json{{"kind", "tpm"}}, Json{{"kind", "file"}, {"tcti", "device:/dev/tpmrm0"}},
                          Json{{"kind", "tpm"}, {"tcti", ""}}, Json{{"kind", "tpm"}, {"tcti", "x"}, {"more", 1}}}) {
    json["key"] = key;
    CAPTURE(key.dump());
    CHECK_FALSE(parses(json));
  }
  json["key"] = {{"kind", "pocket"}};
  CHECK(make_key_place(*parse_board(json.dump(), "/b"), "/b").error().code == Code::kRefused);
}

TEST_CASE("a watchdog may be described, and a device that is none is refused", "[board]") {
  Json json = description();
  CHECK(parse_board(json.dump(), "/b")->watchdog.kind == "none");
  json["watchdog"] = {{"kind", "device"}, {"path", "/dev/null"}};
  const auto board = parse_board(json.dump(), "/b");
  REQUIRE(board.ok());
  CHECK(make_watchdog(*board).error().code == Code::kUnavailable);
  json["watchdog"]["kind"] = "spring";
  CHECK(make_watchdog(*parse_board(json.dump(), "/b")).error().code == Code::kRefused);
  json["watchdog"]["extra"] = 1;
  CHECK_FALSE(parses(json));
}

TEST_CASE("a description that is not exact is refused", "[board]") {
  REQUIRE(parses(description()));
  const auto with = [](const char* pointer, const Json& value) {
    Json json = description();
    json[Json::json_pointer(pointer)] = value;
    return json;
  };
  CHECK_FALSE(parses(with("/format", 2)));
  CHECK_FALSE(parses(with("/extra", true)));
  CHECK_FALSE(parses(with("/name", "Bench")));
  CHECK_FALSE(parses(with("/cameras", Json::array())));
  CHECK_FALSE(parses(with("/cameras/0/id", "cam 1")));
  CHECK_FALSE(parses(with("/cameras/0/frame_rate", 1000)));
  CHECK_FALSE(parses(with("/cameras/0/width", -1)));
  CHECK_FALSE(parses(with("/cameras/1", description()["cameras"][0])));
  CHECK_FALSE(parses(with("/camera_paths/0", "")));
  CHECK_FALSE(parses(with("/camera_paths/0", 7)));
  CHECK_FALSE(parses(with("/light", nullptr)));
  CHECK_FALSE(parses(with("/light/wired", "yes")));
  CHECK_FALSE(parses(with("/button/key", 70000)));
  Json without = description();
  without.erase("clock");
  CHECK_FALSE(parses(without));
  CHECK_FALSE(parse_board("", "/b").ok());
  CHECK(load_board("/nonexistent/board.json").error().code == Code::kIo);
}

TEST_CASE("a kind that this build does not have is refused by name", "[board][ENF-1]") {
  BoardDescription board;
  board.clock.kind = board.button.kind = board.light.kind = "telepathy";
  CHECK(make_clock_source(board).error().code == Code::kRefused);
  CHECK(make_button(board).error().message.find("telepathy") != std::string::npos);
  CHECK(make_light(board).error().reason == "board");
}

TEST_CASE("a key let go before five seconds is a short press, after them a hold", "[board][ENF-6]") {
  KeyDevice device;
  CHECK_FALSE(device.press().has_value());
  device.key(1000ms, 1);
  CHECK_FALSE(device.press().has_value());
  device.key(1300ms, 0);
  CHECK(device.press() == Press::kShort);
  device.key(2000ms, 1);
  device.key(7000ms, 0);
  CHECK(device.press() == Press::kHeld);
  CHECK_FALSE(device.press().has_value());
}

TEST_CASE("a hold is told once, at the key's repeat if it has one", "[board]") {
  KeyDevice device;
  device.key(1000ms, 1);
  device.key(5900ms, 2);
  CHECK_FALSE(device.press().has_value());
  device.key(6000ms, 2);
  CHECK(device.press() == Press::kHeld);
  device.key(6100ms, 2);
  device.key(9000ms, 0);
  CHECK_FALSE(device.press().has_value());
}

TEST_CASE("a hand that trembles, and a contact that bounces, press once", "[board][ENF-6]") {
  KeyDevice device;
  const Milliseconds apart = GENERATE(Milliseconds(30ms), Milliseconds(120ms), Milliseconds(240ms));
  device.key(1000ms, 1);
  device.key(1003ms, 0);  // the contact, before it holds
  device.key(1005ms, 1);
  device.key(1300ms, 0);
  REQUIRE(device.press() == Press::kShort);
  Milliseconds at = 1300ms;
  for (int i = 0; i < 20; ++i) {
    device.key(at += apart, 1);
    device.key(at += apart, 0);
  }
  CHECK(at < 1300ms + 10s);
  CHECK_FALSE(device.press().has_value());
  device.key(at + 500ms, 1);
  device.key(at + 700ms, 0);
  CHECK(device.press() == Press::kShort);
}

TEST_CASE("a button that bounces on and on presses once, and is told to be stuck once", "[board][ENF-6]") {
  KeyDevice device;
  std::vector<Press> told;
  for (Milliseconds at = 1000ms; at < 1000ms + 5min; at += 200ms) {
    device.key(at, 1);
    device.key(at + 100ms, 0);
    while (const auto press = device.press()) told.push_back(*press);
  }
  CHECK(told == std::vector<Press>{Press::kShort, Press::kStuck});
}

TEST_CASE("a key that stays down is a hold, then stuck, and never a press", "[board][ENF-6]") {
  KeyDevice device;
  const bool repeats = GENERATE(true, false);
  std::vector<Press> told;
  device.key(1000ms, 1);
  for (Milliseconds at = 1500ms; repeats && at < 10min; at += 500ms) {
    device.key(at, 2);
    while (const auto press = device.press()) told.push_back(*press);
  }
  device.key(10min, 0);
  while (const auto press = device.press()) told.push_back(*press);
  CHECK(told == (repeats ? std::vector<Press>{Press::kHeld, Press::kStuck} : std::vector<Press>{Press::kStuck}));
  device.key(11min, 1);
  device.key(11min + 200ms, 0);
  CHECK(device.press() == Press::kShort);
}

TEST_CASE("a bounce, another key, and a release without a press are nothing", "[board]") {
  KeyDevice device;
  device.key(1000ms, 1);
  device.key(1005ms, 0);
  device.key(2000ms, 0);
  device.say(3000ms, EV_KEY, KEY_A, 1);
  device.say(9000ms, EV_KEY, KEY_A, 0);
  CHECK_FALSE(device.press().has_value());
}

TEST_CASE("when the kernel has lost events, the press under way counts for nothing", "[board]") {
  KeyDevice device;
  device.key(1000ms, 1);
  device.say(2000ms, EV_SYN, SYN_DROPPED, 0);
  device.key(9000ms, 0);
  CHECK_FALSE(device.press().has_value());
}

TEST_CASE("a button that is unplugged is an error, not silence", "[board]") {
  KeyDevice device;
  device.writer.reset();
  CHECK(device.button->read().error().code == Code::kIo);
}

TEST_CASE("an LED is lit at its full brightness, and says itself whether it is", "[board][ENF-7]") {
  const test::TempDir dir;
  CHECK_FALSE(LedLight::open(dir.path()).ok());
  write_file(dir / "max_brightness", "255\n");
  write_file(dir / "brightness", "0\n");
  auto light = LedLight::open(dir.path()).value();
  REQUIRE(light->set(true).ok());
  CHECK(*light->is_lit());
  CHECK(read_file(dir / "brightness").starts_with("255\n"));
  write_file(dir / "brightness", "0\n");
  CHECK_FALSE(*light->is_lit());
}

TEST_CASE("a device key is made once and kept", "[board][INS-2]") {
  const test::TempDir dir;
  const auto made = FileKeyPlace(dir.path()).open().value();
  const auto kept = FileKeyPlace(dir.path()).open().value();
  CHECK(made->hub() == kept->hub());
  CHECK(made->hub() == made->device_key().thumbprint_text());
  struct stat file {};
  REQUIRE(stat((dir / "device.key").c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);

  const test::TempDir other;
  CHECK(FileKeyPlace(other.path()).open().value()->hub() != made->hub());
}

TEST_CASE("the device key signs a body of a named kind only", "[board]") {
  const test::TempDir dir;
  const auto keys = FileKeyPlace(dir.path()).open().value();
  const auto envelope = parse_json(*keys->envelope("answer", R"({"a":"å"})"));
  REQUIRE(envelope.ok());
  const std::string payload = (*envelope)["payload"];
  CHECK(payload == R"({"a":"å"})");
  const auto signature = from_base64url((*envelope)["sig"].get<std::string>());
  CHECK(keys->device_key().verify(signed_bytes("answer", view_of(payload)), *signature));
  CHECK_FALSE(keys->device_key().verify(signed_bytes("receipt", view_of(payload)), *signature));
  CHECK_FALSE(keys->device_key().verify(view_of(payload), *signature));
}

TEST_CASE("a damaged or exposed device key is never replaced silently", "[board]") {
  const test::TempDir dir;
  const std::string path = dir / "device.key";
  SECTION("cut short") { write_file(path, "short"); }
  SECTION("too long") { write_file(path, std::string(33, 'k')); }
  SECTION("not a scalar of the curve") { write_file(path, std::string(32, '\0')); }
  chmod(path.c_str(), 0600);
  SECTION("readable by others") {
    write_file(path, std::string(32, 'k'));
    chmod(path.c_str(), 0604);
  }
  const std::string before = read_file(path);
  const auto keys = FileKeyPlace(dir.path()).open();
  REQUIRE_FALSE(keys.ok());
  CHECK(keys.error().code == Code::kMalformed);
  CHECK(read_file(path) == before);
}

TEST_CASE("the light is seen by who may not set it", "[board][ENF-7]") {
  const test::TempDir dir;
  CHECK_FALSE(LightSensor::open(dir / "brightness").ok());
  write_file(dir / "brightness", "0\n");
  const auto sensor = LightSensor::open(dir / "brightness").value();
  CHECK_FALSE(*sensor.is_lit());
  write_file(dir / "brightness", "255\n");
  CHECK(*sensor.is_lit());
  write_file(dir / "brightness", "");
  CHECK_FALSE(sensor.is_lit().ok());
}

TEST_CASE("a key store destroys its own key, and signs no more once it is gone", "[board][INS-6]") {
  const test::TempDir dir;
  std::string hub;
  {
    auto keys = FileKeyPlace(dir.path()).open().value();
    hub = keys->hub();
    CHECK(*FileKeyPlace(dir.path()).has_key());
    REQUIRE(keys->destroy_key().ok());
    CHECK_FALSE(*FileKeyPlace(dir.path()).has_key());
    CHECK(keys->destroy_key().ok());  // there is none left
  }
  CHECK(FileKeyPlace(dir.path()).open().value()->hub() != hub);
}

TEST_CASE("a destroyed key is gone, and the next one is another", "[board]") {
  const test::TempDir dir;
  CHECK(FileKeyPlace(dir.path()).destroy().ok());
  const std::string hub = FileKeyPlace(dir.path()).open().value()->hub();
  REQUIRE(FileKeyPlace(dir.path()).destroy().ok());
  CHECK(FileKeyPlace(dir.path()).open().value()->hub() != hub);
}
