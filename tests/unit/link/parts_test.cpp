#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "firmware/files/files.h"
#include "firmware/link/backoff.h"
#include "firmware/link/chunk_reader.h"
#include "firmware/link/config.h"
#include "firmware/link/control.h"
#include "firmware/link/delivery.h"
#include "firmware/link/frame_queue.h"
#include "firmware/link/link_key.h"
#include "firmware/link/outbox.h"
#include "firmware/link/relays.h"
#include "tests/unit/temp_dir.h"

using namespace tillsyn;
using namespace tillsyn::link;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart = TimePoint{} + 1h;

Bytes frame(std::uint8_t flags, std::size_t payload = 100) {
  Bytes bytes;
  append_u32(bytes, static_cast<std::uint32_t>(9 + payload));
  bytes.push_back(flags);
  append_u64(bytes, 0);
  bytes.resize(bytes.size() + payload, 'f');
  return bytes;
}

// The flags of the frames that come out, read in pieces of `piece` bytes.
std::string drain(FrameQueue& queue, std::size_t piece = 37) {
  Bytes all;
  Bytes part(piece);
  while (const std::size_t got = queue.read(part)) append(all, ByteView(part).first(got));
  std::string flags;
  for (ByteView rest = all; !rest.empty(); rest = rest.subspan(4 + read_u32(rest))) {
    REQUIRE(rest.size() >= 5);
    REQUIRE(rest.size() >= 4 + read_u32(rest));
    flags += static_cast<char>('0' + rest[4]);
  }
  return flags;
}

Result<std::string> unchunk(std::string_view text, std::size_t piece, bool* ended = nullptr) {
  ChunkReader reader;
  std::string out;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, piece);
    text.remove_prefix(part.size());
    TILLSYN_CHECK(reader.feed(view_of(part), [&](ByteView data) { out += text_of(data); }));
  }
  if (ended) *ended = reader.ended();
  return out;
}

std::string envelope(const Json& payload) {
  return Json{{"payload", payload.dump()}, {"sig", to_base64url(Bytes(64, 1))}}.dump();
}

std::string event(std::uint64_t number) { return envelope({{"type", "event"}, {"n", number}}); }

}  // namespace

TEST_CASE("pauses double from one to thirty seconds, each cut by a random half, and begin again after success",
          "[link]") {
  const std::uint32_t any = GENERATE(0u, 1u, 12345u, 4294967295u);
  Backoff backoff([any] { return any; });
  Milliseconds step = 1s;
  for (int i = 0; i < 20; ++i) {
    const Milliseconds pause = backoff.failed();
    CHECK(pause >= step / 2);
    CHECK(pause <= step);
    step = std::min(2 * step, Milliseconds(30s));
  }
  backoff.succeeded();
  CHECK(backoff.failed() <= 1s);
}

TEST_CASE("a chunked body is read whatever the pieces it arrives in", "[link]") {
  const std::string body = "5\r\nhello\r\nB;x=\"y\"\r\n, chunked w\r\n4\r\norld\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    bool ended = false;
    const auto text = unchunk(body, piece, &ended);
    REQUIRE(text.ok());
    CHECK(*text == "hello, chunked world");
    CHECK(ended);
  }
}

TEST_CASE("a body whose last chunk has not come has not ended", "[link]") {
  for (const char* body : {"", "5\r\nhello\r\n", "5\r\nhel", "0\r\n", "0\r\nTrailer: x\r\n"}) {
    bool ended = true;
    REQUIRE(unchunk(body, 100, &ended).ok());
    CHECK_FALSE(ended);
  }
}

TEST_CASE("what is no chunk is malformed", "[link]") {
  for (const char* body : {"x\r\n", "\r\n", "-1\r\n", "0x5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhello!\r\n",
                           "1000001\r\n", "ffffffffffffffffff\r\n", "5 5\nhello"}) {
    CAPTURE(body);
    CHECK_FALSE(unchunk(body, 3).ok());
  }
  CHECK_FALSE(unchunk("5;" + std::string(300, 'x') + "\r\nhello\r\n", 50).ok());
}

TEST_CASE("frames come out as they went in while the network keeps up", "[link]") {
  FrameQueue queue;
  std::string out;
  for (int i = 0; i < 30; ++i) {
    queue.push(frame(i == 0 ? 1 : 0, 5000), kStart + 66ms * i);
    out += drain(queue, 1000);
  }
  CHECK(out == "1" + std::string(29, '0'));
  CHECK(queue.dropped() == 0);
}

TEST_CASE("frames that have waited too long are dropped up to the next key frame", "[link][VID-1]") {
  FrameQueue queue;
  queue.push(frame(1), kStart);
  CHECK(drain(queue) == "1");
  for (int i = 0; i < 6; ++i) queue.push(frame(0), kStart + 66ms * i);  // 0…330 ms
  queue.push(frame(0), kStart + 450ms);
  CHECK(queue.empty());
  queue.push(frame(0), kStart + 500ms);
  CHECK(queue.empty());
  queue.push(frame(1), kStart + 550ms);
  queue.push(frame(0), kStart + 600ms);
  CHECK(drain(queue) == "10");
  CHECK(queue.dropped() == 8);
}

TEST_CASE("a frame that is half sent is finished, and the end is never dropped", "[link]") {
  FrameQueue queue;
  Bytes half(50);
  queue.push(frame(1), kStart);
  REQUIRE(queue.read(half) == 50);
  queue.push(frame(0), kStart + 100ms);
  queue.push(frame(2), kStart + 200ms);
  queue.push(frame(0), kStart + 900ms);
  Bytes rest(1000);
  const std::size_t got = queue.read(rest);
  const std::size_t left_of_first = frame(1).size() - 50;
  REQUIRE(got == left_of_first + frame(2).size());
  CHECK(rest[left_of_first + 4] == 2);
}

TEST_CASE("while the connection is being made, the first picture may wait longer", "[link]") {
  FrameQueue queue;
  queue.push(frame(1), kStart);
  queue.push(frame(0), kStart + 2900ms);
  CHECK(drain(queue) == "10");
  FrameQueue late;
  late.push(frame(1), kStart);
  late.push(frame(0), kStart + 3100ms);
  CHECK(late.empty());
}

TEST_CASE("the queue is bounded in bytes as well", "[link]") {
  FrameQueue queue;
  for (int i = 0; i < 200; ++i) queue.push(frame(1, 128 * 1024), kStart);
  CHECK(drain(queue, 4096).size() <= FrameQueue::kMaxBytes / (128 * 1024));
  CHECK(queue.dropped() > 100);
}

TEST_CASE("a relay is a name and a port, and nothing that could change what a URL means", "[link]") {
  for (const char* good : {"relay.example:443", "localhost:8443", "127.0.0.1:1", "[::1]:65535", "a-b.c:80"}) {
    CAPTURE(good);
    CHECK(is_host(good));
  }
  for (const char* bad : {"",
                          "relay.example",
                          "relay.example:",
                          ":443",
                          "relay.example:0",
                          "relay.example:65536",
                          "relay.example:443/",
                          "user@relay.example:443",
                          "relay.example/x:443",
                          "relay example:443",
                          "relay.example:+443",
                          "relay.example:0443",
                          "[::1:443",
                          "::1:443",
                          "r\xc3\xa4lay:443",
                          "[]:1",
                          "relay.example:44a",
                          "relay#:443",
                          "relay?:443",
                          "a%2fb:443"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_host(bad));
  }
}

TEST_CASE("gate's list of relays is read exactly", "[link]") {
  const auto relays = parse_relays(R"([{"host":"a:1","ca":null},{"host":"b:2","ca":"PEM"}])");
  REQUIRE(relays.ok());
  CHECK((*relays)[0] == Relay{"a:1", std::nullopt});
  CHECK((*relays)[1] == Relay{"b:2", "PEM"});
  for (const char* bad : {"", "{}", "[]", R"([{"host":"a:1"}])", R"([{"host":"a","ca":null}])", R"(["a:1"])",
                          R"([{"host":"a:1","ca":7}])", R"([{"host":"a:1","ca":null,"verify":false}])"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_relays(bad).ok());
  }
}

TEST_CASE("after a failure the next relay is tried, and the one in use stays when the list is renewed", "[link]") {
  RelayChoice choice([] { return 0u; });
  CHECK(choice.current() == nullptr);
  CHECK(choice.failed({Code::kUnavailable, "relay_timeout", ""}) > 0ms);
  choice.set({{"a:1", {}}, {"b:2", {}}});
  CHECK(choice.current()->host == "a:1");
  choice.failed({Code::kUnavailable, "relay_tls", ""});
  CHECK(choice.current()->host == "b:2");
  CHECK(choice.trouble() == "relay_tls");
  choice.succeeded();
  CHECK(choice.trouble().empty());
  choice.set({{"c:3", {}}, {"b:2", {}}});
  CHECK(choice.current()->host == "b:2");
  choice.set({{"c:3", {}}, {"b:2", "another CA"}});
  CHECK(choice.current()->host == "c:3");
}

TEST_CASE("a report holds what waits, and what was taken is not sent again", "[link][ENF-8]") {
  Outbox outbox;
  CHECK_FALSE(outbox.next().has_value());
  REQUIRE(outbox.add(ipc::MessageType::kAnswer, envelope({{"type", "answer"}})).ok());
  REQUIRE(outbox.add(ipc::MessageType::kReceipt, envelope({{"type", "receipt"}})).ok());
  for (const std::uint64_t number : {7u, 5u, 6u, 5u}) REQUIRE(outbox.add(ipc::MessageType::kEvent, event(number)).ok());
  const auto report = outbox.next();
  CHECK((*report)["answers"].size() == 1);
  CHECK((*report)["receipts"].size() == 1);
  CHECK((*report)["countersigns"].empty());
  REQUIRE((*report)["events"].size() == 3);
  CHECK((*report)["events"][0].dump() == parse_json(event(5))->dump());

  REQUIRE(outbox.add(ipc::MessageType::kAnswer, envelope({{"type", "answer"}, {"late", true}})).ok());
  outbox.taken(6);
  const auto second = outbox.next();
  CHECK((*second)["answers"].size() == 1);
  CHECK((*second)["receipts"].empty());
  CHECK((*second)["events"].size() == 1);
  outbox.taken(7);
  CHECK(outbox.size() == 0);
}

TEST_CASE("events stay until the relay says that they are durable", "[link][ENF-8]") {
  Outbox outbox;
  REQUIRE(outbox.add(ipc::MessageType::kEvent, event(1)).ok());
  outbox.next();
  CHECK_FALSE(outbox.taken(0));
  CHECK((*outbox.next())["events"].size() == 1);
  outbox.acked(1);
  CHECK_FALSE(outbox.next().has_value());
}

TEST_CASE("a report was not in vain although as much has come as was taken", "[link][ENF-8]") {
  Outbox outbox;
  CHECK_FALSE(outbox.next().has_value());
  CHECK(outbox.taken(0));  // a report of status alone
  REQUIRE(outbox.add(ipc::MessageType::kEvent, event(1)).ok());
  outbox.next();
  REQUIRE(outbox.add(ipc::MessageType::kEvent, event(2)).ok());
  CHECK(outbox.taken(1));
  outbox.next();
  outbox.acked(2);  // by a poll meanwhile
  REQUIRE(outbox.add(ipc::MessageType::kEvent, event(3)).ok());
  CHECK(outbox.taken(2));
  REQUIRE(outbox.add(ipc::MessageType::kAnswer, envelope({{"type", "answer"}})).ok());
  outbox.next();
  CHECK(outbox.taken(2));  // the answer
  outbox.next();
  CHECK_FALSE(outbox.taken(2));
}

TEST_CASE("a full outbox refuses the newest, and knows that events are missing", "[link]") {
  Outbox outbox;
  for (std::uint64_t n = 1; n <= Outbox::kMaxEach; ++n) REQUIRE(outbox.add(ipc::MessageType::kEvent, event(n)).ok());
  CHECK_FALSE(outbox.take_missed_events());
  CHECK(outbox.add(ipc::MessageType::kEvent, event(Outbox::kMaxEach + 1)).error().code == Code::kUnavailable);
  CHECK(outbox.add(ipc::MessageType::kEvent, event(1)).ok());
  outbox.acked(Outbox::kMaxEach / 2);  // room again, but for what would leave a gap
  CHECK(outbox.add(ipc::MessageType::kEvent, event(Outbox::kMaxEach + 9)).error().code == Code::kUnavailable);
  CHECK(outbox.take_missed_events());
  CHECK_FALSE(outbox.take_missed_events());
  CHECK((*outbox.next())["events"].size() == Outbox::kMaxBatch);
}

TEST_CASE("a report stays within its size", "[link]") {
  Outbox outbox;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(outbox.add(ipc::MessageType::kReceipt, envelope({{"long", std::string(50000, 'x')}})).ok());
  }
  std::size_t reports = 0;
  while (const auto report = outbox.next()) {
    CHECK(report->dump().size() < 256 * 1024);
    CHECK((*report)["receipts"].size() > 0);
    outbox.taken(0);
    ++reports;
  }
  CHECK(reports == 4);
}

TEST_CASE("what is no envelope is not reported", "[link]") {
  Outbox outbox;
  for (const char* bad : {"", "{}", "[]", R"({"payload":{},"sig":"AA"})", R"({"payload":"x","sig":"AA"})"}) {
    CAPTURE(bad);
    CHECK(outbox.add(ipc::MessageType::kAnswer, bad).error().code == Code::kMalformed);
  }
  CHECK_FALSE(outbox.add(ipc::MessageType::kEvent, envelope({{"type", "event"}})).ok());
  CHECK_FALSE(outbox.add(ipc::MessageType::kEvent, envelope({{"n", 0}})).ok());
  CHECK_FALSE(outbox.add(ipc::MessageType::kEvent, envelope({{"n", "1"}})).ok());
  CHECK(outbox.size() == 0);
}

TEST_CASE("a relay's answer is cut into what gate hears, trust first", "[link]") {
  const auto delivery = read_delivery(*parse_json(
      R"({"root_list":{"payload":"r"},"bundle":null,"orders":[{"payload":"1"},{"payload":"2"}],"views":[{"order":{}}],"events_acked":9,"new":1})"));
  REQUIRE(delivery.messages.size() == 5);
  CHECK(delivery.messages[0].type == ipc::MessageType::kRootList);
  CHECK(text_of(delivery.messages[0].body) == R"({"payload":"r"})");
  CHECK(delivery.messages[1].type == ipc::MessageType::kOrder);
  CHECK(delivery.messages[3].type == ipc::MessageType::kOffer);
  CHECK(read_u64(delivery.messages[4].body) == 9);
  CHECK(delivery.events_acked == 9);
  CHECK(delivery.skipped == 0);
}

TEST_CASE("what gate would not take is skipped and counted, the rest goes through", "[link]") {
  Json answer{{"orders", {{{"payload", std::string(70000, 'x')}}, {{"payload", "good"}}, 7, "text"}},
              {"views", "none"},
              {"root_list", Json::array()},
              {"events_acked", -1}};
  const auto delivery = read_delivery(answer);
  REQUIRE(delivery.messages.size() == 1);
  CHECK(text_of(delivery.messages[0].body) == R"({"payload":"good"})");
  CHECK(delivery.skipped == 4);
  CHECK(delivery.events_acked == 0);
}

TEST_CASE("a problem is told by its code, or by its status", "[link]") {
  const auto reason = [](long status, const char* body) { return read_reply(Reply{status, body}).error(); };
  CHECK(reason(403, R"({"code":"hub_revoked","status":403.0})").reason == "hub_revoked");
  CHECK(reason(403, R"({"code":"hub_revoked"})").code == Code::kRefused);
  CHECK(reason(503, "").reason == "http_503");
  CHECK(reason(503, "").code == Code::kUnavailable);
  CHECK(reason(429, "").code == Code::kUnavailable);
  CHECK(reason(400, R"({"code":"<script>"})").reason == "http_400");
  CHECK(reason(302, "").reason == "http_302");
  CHECK(reason(200, "[]").reason == "relay_reply");
  CHECK(reason(200, R"({"a":1,"a":2})").code == Code::kMalformed);
}

TEST_CASE("a link key is made once, and a file that is no key is not replaced", "[link][INS-2]") {
  const test::TempDir dir;
  const auto made = LinkKey::open(dir.path());
  REQUIRE(made.ok());
  CHECK(LinkKey::open(dir.path())->point() == made->point());
  CHECK(made->certificate_pem().starts_with("-----BEGIN CERTIFICATE-----"));
  struct stat file {};
  REQUIRE(stat((dir / "link.key").c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);

  REQUIRE(files::write_private(dir / "link.key", view_of("no key")).ok());
  CHECK(LinkKey::open(dir.path()).error().code == Code::kMalformed);
  REQUIRE(files::write_private(dir / "link.key", view_of(made->key_pem())).ok());
  chmod((dir / "link.key").c_str(), 0644);
  CHECK(LinkKey::open(dir.path()).error().code == Code::kMalformed);
  CHECK(LinkKey::open(dir / "missing").error().code == Code::kIo);
}

TEST_CASE("configuration and questions of the command line are read exactly", "[link]") {
  CHECK(parse_config("{}")->state_dir == Config().state_dir);
  CHECK(parse_config(R"({"state_dir":"/s","gate_socket":"/g"})")->gate_socket == "/g");
  for (const char* bad : {"", "[]", R"({"state_dir":7})", R"({"verify_tls":false})"})
    CHECK_FALSE(parse_config(bad).ok());

  CHECK(parse_control(R"({"do":"status"})")->kind == ControlRequest::Kind::kStatus);
  CHECK(parse_control(R"({"do":"enrol","code":"ABC","relay":null})")->code == "ABC");
  for (const char* bad : {"", "{}", R"({"do":"reboot"})", R"({"do":"enrol"})", R"({"do":"status","code":"x"})",
                          R"({"do":"enrol","code":7,"relay":null})"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_control(bad).ok());
  }
}
