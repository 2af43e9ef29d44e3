#include <fstream>

#include "tests/unit/link/house.h"

using namespace tillsyn;
using namespace tillsyn::test;
using ipc::MessageType;

TEST_CASE("a hub is enrolled with a code, under the key that it shows in TLS, and then polls", "[link][INS-2]") {
  House house;
  house.start();
  const UniqueFd asked = house.program->ask(enrol_request());
  const Bytes point = house.gate.expect(MessageType::kLinkKey);
  house.gate.say(MessageType::kLinkKeyEnvelope, envelope({{"type", "link-key"}}));

  const auto enrol = house.relay.inbox.take("/hub/v1/enrol");
  CHECK(enrol.client_key == text_of(point));
  const Json body = *parse_json(enrol.body);
  CHECK(body["format"] == 1);
  CHECK(body["code"] == "ABCD-EFGH");
  CHECK(body["link_key"].dump() == envelope({{"type", "link-key"}}));
  CHECK(Program::wait(asked) == Json{{"ok", true}, {"hub", kHub}, {"provider", "north"}});

  house.gate.answer_one_poll();
  const auto poll = house.relay.inbox.take("/hub/v1/poll");
  CHECK(poll.client_key == text_of(point));
  CHECK(*parse_json(poll.body) == Json{{"format", 1}, {"status", {{"state", "enrolled"}}}});
  const Json status = house.program->status();
  CHECK(status["hub"] == kHub);
  CHECK(status["provider"] == "north");
  CHECK(status["trouble"].is_null());
}

TEST_CASE("an enrolment that the relay refuses says why, and changes nothing", "[link][INS-2]") {
  House house;
  house.start();
  SECTION("refused by its code") {
    house.relay.will_answer("/hub/v1/enrol", 403, R"({"code":"enrol_refused"})");
    const UniqueFd asked = house.program->ask(enrol_request());
    house.gate.expect(MessageType::kLinkKey);
    house.gate.say(MessageType::kLinkKeyEnvelope, envelope({{"type", "link-key"}}));
    CHECK(Program::wait(asked)["reason"] == "enrol_refused");
  }
  SECTION("as another hub") {
    house.relay.will_answer("/hub/v1/enrol", 200,
                            Json{{"hub", to_base64url(Bytes(32, 8))}, {"provider", "north"}}.dump());
    const UniqueFd asked = house.program->ask(enrol_request());
    house.gate.expect(MessageType::kLinkKey);
    house.gate.say(MessageType::kLinkKeyEnvelope, envelope({{"type", "link-key"}}));
    CHECK(Program::wait(asked)["reason"] == "wrong_hub");
  }
  SECTION("a code too short") {
    CHECK(Program::wait(house.program->ask(R"({"do":"enrol","code":"ABC","relay":null})"))["ok"] == false);
  }
  SECTION("another one under way") {
    const UniqueFd asked = house.program->ask(enrol_request());
    house.gate.expect(MessageType::kLinkKey);
    CHECK(Program::wait(house.program->ask(enrol_request()))["reason"] == "enrolment");
  }
  SECTION("nonsense") { CHECK(Program::wait(house.program->ask("enrol me"))["reason"] == "control"); }
  CHECK_FALSE(std::filesystem::exists(house.dir / "enrolled.json"));
  CHECK(house.relay.inbox.count("/hub/v1/poll") == 0);
}

TEST_CASE("what a poll brings reaches gate, trust first", "[link]") {
  House house;
  house.be_enrolled();
  house.relay.will_answer(
      "/hub/v1/poll", 200,
      R"({"root_list":{"payload":"r"},"bundle":{"payload":"b"},"orders":[{"payload":"o"}],"views":[{"seq":1}],"events_acked":4})");
  house.start();
  CHECK(text_of(house.gate.expect(MessageType::kRootList)) == R"({"payload":"r"})");
  CHECK(text_of(house.gate.expect(MessageType::kBundle)) == R"({"payload":"b"})");
  CHECK(text_of(house.gate.expect(MessageType::kOrder)) == R"({"payload":"o"})");
  CHECK(text_of(house.gate.expect(MessageType::kOffer)) == R"({"seq":1})");
  CHECK(read_u64(house.gate.expect(MessageType::kEventsAcked)) == 4);
}

TEST_CASE("each poll carries a status that gate made for it", "[link]") {
  House house;
  house.be_enrolled();
  house.start();
  house.gate.expect(MessageType::kPollWanted);
  house.gate.say(MessageType::kPollStatus, R"({"challenge":"one"})");
  CHECK((*parse_json(house.relay.inbox.take("/hub/v1/poll").body))["status"]["challenge"] == "one");
  house.gate.expect(MessageType::kPollWanted);
  house.gate.say(MessageType::kPollStatus, R"({"challenge":"two"})");
  CHECK((*parse_json(house.relay.inbox.take("/hub/v1/poll").body))["status"]["challenge"] == "two");
}

TEST_CASE("a gate that is away or silent is a null status", "[link]") {
  House house;
  house.be_enrolled();
  house.start();
  house.gate.answer_one_poll();
  CHECK_FALSE((*parse_json(house.relay.inbox.take("/hub/v1/poll").body))["status"].is_null());
  SECTION("silent") { house.gate.expect(MessageType::kPollWanted); }
  SECTION("away") { house.gate.leave(); }
  CHECK((*parse_json(house.relay.inbox.take("/hub/v1/poll").body))["status"].is_null());
}

TEST_CASE("gate is found again after it has died", "[link]") {
  House house;
  house.be_enrolled();
  house.start();
  house.gate.answer_one_poll();
  house.gate.leave();
  house.gate.meet();
  house.gate.answer_one_poll();
  CHECK(house.program->status_where([](const Json& status) { return status["gate"] == true; })["hub"] == kHub);
}

TEST_CASE("answers and events are reported until the relay has them, and gate hears what is durable", "[link][ENF-8]") {
  House house;
  house.be_enrolled();
  house.relay.will_answer("/hub/v1/report", 503, "");
  house.relay.will_answer("/hub/v1/report", 200, R"({"events_acked":2})");
  house.start();
  house.gate.say(MessageType::kStatusChanged, R"({"state":"accepted"})");
  house.gate.say(MessageType::kAnswer, envelope({{"type", "answer"}}));
  house.gate.say(MessageType::kEvent, envelope({{"type", "event"}, {"n", 1}}));
  house.gate.say(MessageType::kEvent, envelope({{"type", "event"}, {"n", 2}}));
  CHECK(read_u64(house.gate.expect(MessageType::kEventsAcked)) == 2);

  house.relay.inbox.take("/hub/v1/report");
  const Json report = *parse_json(house.relay.inbox.take("/hub/v1/report").body);
  CHECK(report["answers"].size() == 1);
  CHECK(report["events"].size() == 2);
  CHECK(report["status"]["state"] == "accepted");
  CHECK(report["receipts"].empty());
  CHECK(house.program->status_where([](const Json& status) { return status["waiting"] == 0; })["ok"] == true);
}

TEST_CASE("a report brings a status once: an old one would call back a challenge that the gate has forgotten", "[link]") {
  House house;
  house.be_enrolled();
  house.start();
  house.gate.say(MessageType::kStatusChanged, R"({"challenge":"old"})");
  CHECK((*parse_json(house.relay.inbox.take("/hub/v1/report").body))["status"]["challenge"] == "old");
  house.gate.say(MessageType::kAnswer, envelope({{"type", "answer"}}));
  const Json report = *parse_json(house.relay.inbox.take("/hub/v1/report").body);
  CHECK(report["answers"].size() == 1);
  CHECK(report["status"].is_null());
}

TEST_CASE("frames go up while the viewer's signs of life come down the same exchange", "[link][VID-1]") {
  std::string seen;
  std::string key;
  std::string path;
  House house([&](test::TlsPeer& peer, const test::SeenRequest& request) {
    path = request.path;
    key = request.client_key;
    peer.write(kStreamHeader);
    while (seen.size() < 3000) seen += peer.read_chunk().value_or(std::string(9999, '?'));
    peer.write_chunk(std::string(40, 'L'));  // a message in two pieces, and one more in the same chunk
    peer.write_chunk(std::string(24, 'L') + std::string(64, 'M'));
    for (;;) {
      const auto chunk = peer.read_chunk();
      if (!chunk || chunk->empty()) break;
      seen += *chunk;
    }
    peer.write_chunk("");
  });
  house.be_enrolled();
  house.start();
  const std::vector<Bytes> frames{stream_frame(1, 'a'), stream_frame(0, 'b'), stream_frame(0, 'c', 100000),
                                  stream_frame(2, 'd')};
  for (const Bytes& frame : frames) house.gate.say(MessageType::kFrame, frame_message(frame));
  CHECK(text_of(house.gate.expect(MessageType::kLife)) == std::string(64, 'L'));
  CHECK(text_of(house.gate.expect(MessageType::kLife)) == std::string(64, 'M'));
  house.gate.say(MessageType::kStreamEnd, kStream);
  house.program->status_where([](const Json& status) { return status["streams"] == 0; });

  Bytes all;
  for (const Bytes& frame : frames) append(all, frame);
  CHECK(seen == text_of(all));
  CHECK(path == "/hub/v1/streams/" + to_base64url(kStream));
  CHECK(key.size() == 65);
  house.gate.say(MessageType::kStatusChanged, R"({"state":"accepted"})");
  house.gate.answer_one_poll();  // and no kStreamLost before it: gate itself had ended the stream
}

TEST_CASE("gate hears that a stream is lost, whatever ended it", "[link][ENF-2]") {
  enum class End { kViewerGone, kRefused, kCutOff, kNonsense };
  const End end = GENERATE(End::kViewerGone, End::kRefused, End::kCutOff, End::kNonsense);
  House house([end](test::TlsPeer& peer, const test::SeenRequest&) {
    if (end == End::kRefused) peer.write("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n");
    if (end == End::kRefused || end == End::kCutOff) return;
    peer.write(kStreamHeader);
    if (end == End::kNonsense) peer.write("no chunk at all\r\n");
    if (end == End::kViewerGone) peer.write_chunk("");
    while (peer.read_chunk()) continue;  // it stays connected and goes on reading
  });
  house.be_enrolled();
  house.start();
  house.gate.say(MessageType::kFrame, frame_message(stream_frame(1, 'a')));
  CHECK(house.gate.expect(MessageType::kStreamLost) == kStream);
  house.gate.say(MessageType::kFrame, frame_message(stream_frame(0, 'b')));
  house.gate.answer_one_poll();
  CHECK(house.program->status()["streams"] == 0);
}

TEST_CASE("a fourth stream is refused, and so is one before any relay is known", "[link]") {
  House house([](test::TlsPeer& peer, const test::SeenRequest&) {
    peer.write(kStreamHeader);
    while (peer.read_chunk()) continue;
  });
  house.program.emplace(house.dir);
  house.gate.meet();
  house.gate.say(MessageType::kFrame, frame_message(stream_frame(1, 'a')));
  CHECK(house.gate.expect(MessageType::kStreamLost) == kStream);
  house.gate.tell_relay(house.tls.host(), house.tls.ca_pem());
  for (std::uint8_t i = 0; i < 4; ++i) {
    Bytes body(16, i);
    append(body, stream_frame(1, 'a'));
    house.gate.say(MessageType::kFrame, body);
  }
  CHECK(house.gate.expect(MessageType::kStreamLost) == Bytes(16, 3));
}

TEST_CASE("a relay that cannot be verified gets nothing, and may only hand out trust", "[link][SES-1]") {
  House house;
  house.be_enrolled();
  house.relay.will_answer("/hub/v1/trust", 200,
                          R"({"root_list":{"payload":"r"},"bundle":{"payload":"b"},"orders":[{"payload":"forged"}]})");
  const test::TlsRelay other([](const auto&) { return test::GivenReply(); }, {});
  house.program.emplace(house.dir);
  house.gate.meet();
  SECTION("another CA") { house.gate.tell_relay(house.tls.host(), other.ca_pem()); }
  SECTION("another name") { house.gate.tell_relay("127.0.0.1:" + house.tls.port(), house.tls.ca_pem()); }
  SECTION("the system's CAs") { house.gate.tell_relay(house.tls.host(), std::nullopt); }
  house.gate.say(MessageType::kAnswer, envelope({{"type", "answer"}}));
  CHECK(text_of(house.gate.expect(MessageType::kRootList)) == R"({"payload":"r"})");
  CHECK(text_of(house.gate.expect(MessageType::kBundle)) == R"({"payload":"b"})");
  CHECK(house.relay.inbox.take("/hub/v1/trust").client_key.empty());
  CHECK(house.program->status_where([](const Json& status) { return !status["trouble"].is_null(); })["trouble"] ==
        "relay_tls");
  CHECK(house.relay.inbox.count("/hub/v1/poll") == 0);
  CHECK(house.relay.inbox.count("/hub/v1/report") == 0);
}

TEST_CASE("old TLS and suites without forward secrecy or AEAD are refused", "[link][SES-1]") {
  test::TlsRelay::Options options;
  SECTION("TLS 1.1") { options = {TLS1_1_VERSION, "ALL:@SECLEVEL=0"}; }
  SECTION("CBC") { options = {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256"}; }
  House house({}, options);
  house.be_enrolled();
  house.start();
  CHECK(house.program->status_where([](const Json& status) { return !status["trouble"].is_null(); })["trouble"] ==
        "relay_tls");
  CHECK(house.relay.inbox.count("/hub/v1/poll") == 0);
}

TEST_CASE("TLS 1.2 with an ECDHE and AEAD suite is good", "[link][SES-1]") {
  House house({}, {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"});
  house.be_enrolled();
  house.start();
  house.gate.answer_one_poll();
  CHECK(house.relay.inbox.take("/hub/v1/poll").client_key.size() == 65);
}

TEST_CASE("an answer that is too long, a redirect or no JSON is a failure with a name", "[link]") {
  House house;
  house.be_enrolled();
  std::string trouble;
  SECTION("too long") {
    house.relay.will_answer("/hub/v1/poll", 200, std::string(5 * 1024 * 1024, ' '));
    trouble = "relay_reply";
  }
  SECTION("redirect") {
    house.relay.will_answer("/hub/v1/poll", 302, "");
    trouble = "http_302";
  }
  SECTION("no JSON") {
    house.relay.will_answer("/hub/v1/poll", 200, "<html>");
    trouble = "relay_reply";
  }
  SECTION("revoked") {
    house.relay.will_answer("/hub/v1/poll", 403, R"({"code":"hub_revoked"})");
    trouble = "hub_revoked";
  }
  house.start();
  house.gate.answer_one_poll();
  CHECK(house.program->status_where([](const Json& status) { return !status["trouble"].is_null(); })["trouble"] ==
        trouble);
}

TEST_CASE("a hub that is not enrolled asks for trust alone; one enrolled under another device key counts as not",
          "[link]") {
  House house;
  SECTION("not enrolled") {}
  SECTION("another device key") {
    const std::string text = Json{{"hub", to_base64url(Bytes(32, 8))}, {"provider", "north"}}.dump();
    REQUIRE(files::write_private(house.dir / "enrolled.json", view_of(text)).ok());
  }
  SECTION("a damaged file") { REQUIRE(files::write_private(house.dir / "enrolled.json", view_of("{")).ok()); }
  house.relay.will_answer("/hub/v1/trust", 200, R"({"root_list":null,"bundle":{"payload":"b"}})");
  house.start();
  CHECK(text_of(house.gate.expect(MessageType::kBundle)) == R"({"payload":"b"})");
  CHECK(house.relay.inbox.count("/hub/v1/poll") == 0);
}

TEST_CASE("a hub without a root list finds its first at the relay that the installer names", "[link][INS-2]") {
  House house;
  house.relay.will_answer("/hub/v1/trust", 200, R"({"root_list":{"payload":"r"},"bundle":null})");
  house.program.emplace(house.dir);
  house.gate.meet();
  const UniqueFd asked =
      house.program->ask(Json{{"do", "enrol"}, {"code", "ABCDEFGH"}, {"relay", house.tls.host()}}.dump());
  CHECK(text_of(house.gate.expect(MessageType::kRootList)) == R"({"payload":"r"})");
  house.gate.tell_relay(house.tls.host(), house.tls.ca_pem());
  house.gate.expect(MessageType::kLinkKey);
  house.gate.say(MessageType::kLinkKeyEnvelope, envelope({{"type", "link-key"}}));
  CHECK(Program::wait(asked)["ok"] == true);
}

TEST_CASE("link gives up what it does not need, and stops when told", "[link]") {
  House house;
  house.start();
  house.program->status();  // past its start
  std::ifstream file("/proc/" + std::to_string(house.program->process()) + "/status");
  std::string line;
  int found = 0;
  while (std::getline(file, line)) found += line == "NoNewPrivs:\t1" || line == "Seccomp:\t2";
  CHECK(found == 2);
  CHECK(house.program->stop() == 0);
}
