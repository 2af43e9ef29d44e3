#include "firmware/camera/camera.h"

#include <gst/gst.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

using namespace tillsyn;
using namespace tillsyn::camera;

namespace {

constexpr const char* kRecording = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";

// Collects access units and lets a test wait for them.
class Collector {
 public:
  void put(AccessUnit unit) {
    const std::lock_guard lock(mutex_);
    units_.push_back(std::move(unit));
    changed_.notify_all();
  }
  std::vector<AccessUnit> wait_for(std::size_t count, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return units_.size() >= count; });
    return units_;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return units_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AccessUnit> units_;
};

ViewSettings settings_for(Collector& collector) {
  return {{"X7K2M4", "K7M4", "anna.berg"},
          800,
          [] { return std::string("2026-11-22 20:15:07Z"); },
          [&collector](AccessUnit unit) { collector.put(std::move(unit)); }};
}

// A recording of `pictures` at 20 a second.
void write_recording(const std::string& path, int pictures) {
  const std::string text =
      "videotestsrc num-buffers=" + std::to_string(pictures) +
      " ! video/x-raw,width=320,height=240,framerate=20/1 ! jpegenc ! avimux ! filesink location=" + path;
  GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  gst_message_unref(gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE,
                                               static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

void prepare_or_fail() {
  const auto prepared = prepare();
  INFO((prepared.ok() ? std::string() : prepared.error().message));
  REQUIRE(prepared.ok());
}

bool holds_open(const std::string& path) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry.path(), ignored) == path) return true;
  }
  return false;
}

// The NAL unit types of an Annex B access unit.
std::vector<int> nal_types(const Bytes& data) {
  std::vector<int> types;
  for (std::size_t i = 0; i + 3 < data.size(); ++i) {
    if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1) types.push_back(data[i + 3] & 31);
  }
  return types;
}

bool contains(const std::vector<int>& types, int type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

}  // namespace

TEST_CASE("a recording plays as live Constrained Baseline without B-frames", "[camera][VID-1]") {
  prepare_or_fail();
  auto camera = make_camera({.kind = "recording", .path = kRecording});
  REQUIRE(camera.ok());
  CHECK_FALSE(holds_open(kRecording));
  Collector collector;
  auto view = (*camera)->open(settings_for(collector));
  REQUIRE(view.ok());
  CHECK(holds_open(kRecording));
  const auto units = collector.wait_for(12);
  REQUIRE(units.size() >= 12);
  CHECK_FALSE((*view)->failure().has_value());
  CHECK(units[0].key_frame);
  CHECK(contains(nal_types(units[0].data), 7));
  CHECK(contains(nal_types(units[0].data), 8));
  CHECK(contains(nal_types(units[0].data), 5));
  for (std::size_t i = 1; i < units.size(); ++i) {
    CHECK(units[i].capture_mono_ms > units[i - 1].capture_mono_ms);
    CHECK(units[i].data.size() < 128 * 1024);
  }
  // ten pictures a second, as recorded, give or take a busy machine; unpaced it would be a few milliseconds
  CHECK(units[11].capture_mono_ms - units[1].capture_mono_ms >= 500);
}

TEST_CASE("a recording starts over at its end, and its capture times go on rising", "[camera][VID-1]") {
  prepare_or_fail();
  const std::string path = std::filesystem::temp_directory_path() / ("short-" + std::to_string(getpid()) + ".avi");
  write_recording(path, 12);
  auto camera = make_camera({.kind = "recording", .path = path});
  REQUIRE(camera.ok());
  Collector collector;
  auto view = (*camera)->open(settings_for(collector));
  REQUIRE(view.ok());
  std::vector<AccessUnit> units;
  for (int i = 0; i < 100 && units.size() < 30 && !(*view)->failure(); ++i) {
    units = collector.wait_for(30, std::chrono::milliseconds(100));
  }
  REQUIRE(units.size() >= 30);
  for (std::size_t i = 1; i < units.size(); ++i) CHECK(units[i].capture_mono_ms > units[i - 1].capture_mono_ms);
  std::remove(path.c_str());
}

TEST_CASE("destroying a view closes the camera and ends delivery", "[camera][ENF-1]") {
  prepare_or_fail();
  auto camera = make_camera({.kind = "recording", .path = kRecording});
  Collector collector;
  std::size_t at_close = 0;
  {
    auto view = (*camera)->open(settings_for(collector));
    REQUIRE(view.ok());
    REQUIRE(collector.wait_for(3).size() >= 3);
    view = Error{};
    at_close = collector.size();
  }
  CHECK_FALSE(holds_open(kRecording));
  CHECK(collector.wait_for(0).size() == at_close);
}

TEST_CASE("the synthetic room moves and holds its camera file open", "[camera][SES-11]") {
  prepare_or_fail();
  const std::string token = std::filesystem::temp_directory_path() / ("room-" + std::to_string(getpid()));
  std::ofstream(token) << "room";
  auto camera = make_camera({.kind = "room", .path = token, .width = 640, .height = 360, .frame_rate = 15});
  REQUIRE(camera.ok());
  Collector collector;
  auto view = (*camera)->open(settings_for(collector));
  REQUIRE(view.ok());
  CHECK(holds_open(token));
  const auto units = collector.wait_for(10);
  REQUIRE(units.size() >= 10);
  CHECK(units.back().data.size() > 100);
  std::remove(token.c_str());
}

TEST_CASE("a missing device, file or unknown kind is said, not waited for", "[camera][SES-7]") {
  prepare_or_fail();
  Collector collector;
  for (const SourceSettings& settings : {SourceSettings{.kind = "recording", .path = "/nonexistent.avi"},
                                         SourceSettings{.kind = "room", .path = "/nonexistent"},
                                         SourceSettings{.kind = "v4l2", .path = "/dev/video-nonexistent"}}) {
    CAPTURE(settings.kind);
    auto camera = make_camera(settings);
    REQUIRE(camera.ok());
    auto view = (*camera)->open(settings_for(collector));
    REQUIRE_FALSE(view.ok());
    CHECK(view.error().reason == "camera_fault");
  }
  CHECK_FALSE(make_camera({.kind = "cloud"}).ok());
  CHECK(collector.size() == 0);
}
