#include <cstdio>
#include <fstream>

#include "tests/unit/link/house.h"

using namespace tillsyn;
using namespace tillsyn::test;
using ipc::MessageType;

// The real tillsyn-hub against the real tillsyn-link.
namespace {

struct Said {
  int exit_code;
  std::string text;  // standard output and error
};

class HubCommand {
 public:
  explicit HubCommand(const std::string& arguments)
      : pipe_(popen((std::string(TILLSYN_HUB) + " " + arguments + " 2>&1").c_str(), "r")) {
    REQUIRE(pipe_ != nullptr);
  }
  Said wait() {
    Said said{0, ""};
    for (int c = 0; (c = fgetc(pipe_)) != EOF;) said.text += static_cast<char>(c);
    said.exit_code = WEXITSTATUS(pclose(pipe_));
    return said;
  }

 private:
  FILE* pipe_;
};

bool has(const Said& said, const char* part) { return said.text.find(part) != std::string::npos; }

void put(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("the command line enrols the hub, and then says so", "[cli][INS-2]") {
  House house;
  house.start();
  house.program->status();  // its socket is there
  const std::string socket = " --control-socket " + (house.dir / "control.sock");
  HubCommand enrol("enrol --code ABCD-EFGH" + socket);
  house.gate.expect(MessageType::kLinkKey);
  house.gate.say(MessageType::kLinkKeyEnvelope, envelope({{"type", "link-key"}}));
  const Said enrolled = enrol.wait();
  CHECK(enrolled.exit_code == 0);
  CHECK(has(enrolled, "north"));

  house.gate.say(MessageType::kStatusChanged, R"({"state":"enrolled","clock":"untrusted","faults":["camera_fault"]})");
  house.program->status_where([](const Json& status) { return status["status"].is_object(); });
  const Said words = HubCommand("status" + socket).wait();  // gate does not say more
  CHECK(words.exit_code == 0);
  CHECK(has(words, "north"));
  CHECK(has(words, "clock: untrusted"));
  CHECK(has(words, "fault: camera_fault"));
  const auto json = parse_json(HubCommand("status --json" + socket).wait().text);
  REQUIRE(json.ok());
  CHECK((*json)["status"]["state"] == "enrolled");
}

TEST_CASE("status and selftest say what gate finds, each fault with what to do", "[cli][INS-4]") {
  House house;
  house.start();
  house.program->status();
  const std::string socket = " --control-socket " + (house.dir / "control.sock");
  const std::string good =
      R"({"state":"accepted","resident":"r","clock":"trusted","time":"2026-11-22T20:15:00Z","open":false,)"
      R"("reason":"outside_window","until":null,"next":"2026-11-22T21:30:00Z","light":"dark","light_tried":null,"button":true,)"
      R"("button_held_at":null,"root_list":null,"bundle":{"counter":12,"issued_at":"2026-11-22T20:10:00Z",)"
      R"("expires_at":"2026-11-29T20:10:00Z"},"cameras":[{"id":"cam1","identifier":"ACDEFH","there":false}],)"
      R"("last_view":null,"free_bytes":1048576000,"faults":)";
  const auto asked = [&](const char* command, char light, const std::string& faults) {
    HubCommand running(command + socket);
    CHECK(text_of(house.gate.expect(MessageType::kCheckWanted)) == std::string(1, light));
    house.gate.say(MessageType::kCheck, good + faults + "}");
    return running.wait();
  };
  const Said words = asked("status", 0, R"(["camera_missing"])");
  CHECK(words.exit_code == 0);
  CHECK(has(words, "cam1 (ACDEFH), MISSING"));
  CHECK(has(words, "next 2026-11-22T21:30:00Z"));
  CHECK(has(words, "good until 2026-11-29T20:10:00Z"));
  CHECK(has(words, "1000 MiB free"));
  CHECK(has(words, "last view none"));
  CHECK(has(words, "camera_missing: an assigned camera is not there"));
  const Said test = asked("selftest", 1, R"(["camera_missing","unheard_of"])");
  CHECK(test.exit_code == 1);
  CHECK(has(test, "ok     light"));
  CHECK(has(test, "FAULT  camera"));
  CHECK(has(test, "FAULT  unheard_of"));
  CHECK(has(test, "FAULT  relay"));
  CHECK(has(test, "not_enrolled"));
  const auto json = parse_json(asked("selftest --json", 1, "[]").text);
  REQUIRE(json.ok());
  CHECK((*json)["ok"] == false);
  CHECK((*json)["faults"] == Json::array({"not_enrolled"}));
}

TEST_CASE("a gate that does not answer is a fault, not a wait without end", "[cli]") {
  House house;
  house.start();
  house.program->status();
  const std::string socket = " --control-socket " + (house.dir / "control.sock");
  const Said silent = HubCommand("selftest" + socket).wait();
  CHECK(silent.exit_code == 1);
  CHECK(has(silent, "FAULT  gate"));
  CHECK(has(silent, "gate_away"));
  HubCommand nonsense("selftest" + socket);
  house.gate.expect(MessageType::kCheckWanted);  // the one of before
  house.gate.expect(MessageType::kCheckWanted);
  house.gate.say(MessageType::kCheck, "no JSON");
  CHECK(has(nonsense.wait(), "FAULT  gate"));
  house.gate.leave();
  CHECK(has(HubCommand("selftest" + socket).wait(), "FAULT  gate"));
}

TEST_CASE("a refused enrolment is told with its reason and an exit code", "[cli][INS-2]") {
  House house;
  house.start();
  house.program->status();
  const Said said = HubCommand("enrol --code ABC --control-socket " + (house.dir / "control.sock")).wait();
  CHECK(said.exit_code == 1);
  CHECK(has(said, "enrolment"));
}

TEST_CASE("without link, the command line says that it is away", "[cli]") {
  const TempDir dir;
  const Said said = HubCommand("status --control-socket " + (dir / "control.sock")).wait();
  CHECK(said.exit_code == 1);
  CHECK(has(said, "link_away"));
}

TEST_CASE("a wipe destroys keys, orders and log, asked twice and never under running programs", "[cli][INS-6]") {
  const TempDir dir;
  put(dir / "gate/device.key", std::string(32, 'k'));
  put(dir / "gate/gate.db", "orders and log");
  put(dir / "link/link.key", "PEM");
  put(dir / "link/enrolled.json", "{}");
  const std::string where = " --board " TILLSYN_BENCH_BOARD " --gate-state " + (dir / "gate") + " --link-state " + (dir / "link");

  CHECK(HubCommand("wipe" + where).wait().exit_code == 1);
  CHECK(std::filesystem::exists(dir / "gate/device.key"));
  {
    House house;
    house.start();
    house.program->status();
    const std::string socket = " --control-socket " + (house.dir / "control.sock");
    const Said running = HubCommand("wipe --yes" + where + socket).wait();
    CHECK(running.exit_code == 1);
    CHECK(has(running, "running"));
    CHECK(std::filesystem::exists(dir / "gate/device.key"));
  }
  const Said wiped = HubCommand("wipe --yes" + where + " --control-socket " + (dir / "control.sock")).wait();
  CHECK(wiped.exit_code == 0);
  for (const char* gone : {"gate/device.key", "gate/gate.db", "link/link.key", "link/enrolled.json"}) {
    CAPTURE(gone);
    CHECK_FALSE(std::filesystem::exists(dir / gone));
  }
}
