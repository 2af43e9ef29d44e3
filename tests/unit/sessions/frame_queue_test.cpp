#include "relay/sessions/frame_queue.h"

#include <catch2/catch.hpp>

#include "relay/sessions/messages.h"
#include "tests/unit/sessions/frames.h"

using namespace tillsyn;
using sessions::FrameQueue;
using test::frame_bytes;

namespace {

void push(FrameQueue& queue, std::uint8_t flags, std::uint64_t capture_ms, std::size_t object_bytes = 64) {
  const Bytes wire = frame_bytes(flags, capture_ms, object_bytes);
  queue.push(*sframe::decode_frame(wire));
}

// The capture times that come out.
std::vector<std::uint64_t> drain(FrameQueue& queue) {
  std::vector<std::uint64_t> out;
  while (const auto wire = queue.pop()) out.push_back(sframe::decode_frame(*wire)->info.capture_ms);
  return out;
}

using Times = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a viewer who keeps up gets every frame, unchanged and in order", "[sessions]") {
  FrameQueue queue;
  const Bytes wire = frame_bytes(sframe::kKeyFrame, 1000, 64);
  queue.push(*sframe::decode_frame(wire));
  CHECK(queue.pop() == wire);
  for (std::uint64_t at = 0; at < 10'000; at += 66) {
    push(queue, at == 0 ? sframe::kKeyFrame : 0, at);
    CHECK(drain(queue) == Times{at});
  }
  CHECK(queue.dropped() == 0);
}

TEST_CASE("up to 400 ms behind nothing is dropped", "[sessions]") {
  FrameQueue queue;
  for (std::uint64_t at = 0; at <= 400; at += 100) push(queue, at == 0 ? sframe::kKeyFrame : 0, at);
  CHECK(drain(queue) == Times{0, 100, 200, 300, 400});
}

TEST_CASE("past 400 ms behind everything before the next key frame goes", "[sessions]") {
  FrameQueue queue;
  push(queue, sframe::kKeyFrame, 0);
  push(queue, 0, 100);
  push(queue, sframe::kKeyFrame, 200);
  push(queue, 0, 300);
  push(queue, 0, 401);
  CHECK(queue.dropped() == 2);
  CHECK(drain(queue) == Times{200, 300, 401});
}

TEST_CASE("without a key frame in sight the viewer waits for one", "[sessions]") {
  FrameQueue queue;
  push(queue, sframe::kKeyFrame, 0);
  push(queue, 0, 200);
  push(queue, 0, 401);
  CHECK(queue.is_empty());
  push(queue, 0, 450);
  CHECK(queue.is_empty());
  push(queue, sframe::kKeyFrame, 500);
  push(queue, 0, 566);
  CHECK(drain(queue) == Times{500, 566});
  CHECK(queue.dropped() == 4);
}

TEST_CASE("a key frame that is itself too old goes too", "[sessions]") {
  FrameQueue queue;
  push(queue, sframe::kKeyFrame, 0);
  push(queue, sframe::kKeyFrame, 100);
  push(queue, sframe::kKeyFrame, 900);
  CHECK(drain(queue) == Times{900});
}

TEST_CASE("the end of a stream is never dropped", "[sessions]") {
  FrameQueue queue;
  push(queue, sframe::kKeyFrame, 0);
  push(queue, 0, 200);
  push(queue, sframe::kEnd, 5000);
  CHECK(drain(queue) == Times{5000});
  push(queue, 0, 5001);
  CHECK(queue.is_empty());
}

TEST_CASE("a hub whose times stand still, or run back, is bounded in bytes", "[sessions]") {
  for (const bool back : {false, true}) {
    FrameQueue queue;
    push(queue, sframe::kKeyFrame, 1000, 100'000);
    for (std::uint64_t i = 0; i < 100; ++i) push(queue, 0, back ? 1000 - i : 1000, 100'000);
    CHECK(queue.dropped() > 0);
    std::size_t held = 0;
    while (const auto wire = queue.pop()) held += wire->size();
    CHECK(held <= FrameQueue::kMaxBytes + 200'000);
  }
}

TEST_CASE("messages of another form are refused", "[sessions]") {
  for (const char* bad :
       {"", "x", "{}", R"({"type":"other"})", R"({"type":"authenticate"})", R"({"type":"authenticate","token":1})",
        R"({"type":"view"})", R"({"type":"view","order":"text"})", R"({"type":"end","more":1})",
        R"({"type":"end","type":"end"})", R"(["end"])"}) {
    CAPTURE(bad);
    CHECK_FALSE(sessions::read_message(bad).ok());
  }
  CHECK_FALSE(sessions::read_message(R"({"type":"authenticate","token":")" + std::string(300, 'a') + "\"}").ok());
  CHECK(sessions::read_message(R"({"type":"end"})").ok());
}

TEST_CASE("answers of another form reach no viewer", "[sessions]") {
  const auto read = [](const char* payload) { return sessions::read_answer(Json{{"payload", payload}, {"sig", ""}}); };
  CHECK(read(R"({"type":"answer","order":"o","stream":null,"hub":"h"})").ok());
  CHECK(read(R"({"type":"answer","order":"o","stream":"s"})")->stream == "s");
  for (const char* bad :
       {"", "x", "{}", R"({"type":"answer","order":"o"})", R"({"type":"event","order":"o","stream":null})",
        R"({"type":"answer","order":1,"stream":null})"}) {
    CAPTURE(bad);
    CHECK_FALSE(read(bad).ok());
  }
  CHECK_FALSE(sessions::read_answer(Json{{"sig", ""}}).ok());
  CHECK_FALSE(sessions::read_answer(Json("text")).ok());
}
