#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace tillsyn::camera {

// Where pictures come from, as the board's description says it.
struct SourceSettings {
  std::string kind;         // "v4l2"; on the bench board also "recording" and "room"
  std::string path = {};    // v4l2: the device; recording: the file; room: a file held open while the camera is
  unsigned width = 0;       // pixels; 0: as the source has it
  unsigned height = 0;
  unsigned frame_rate = 0;  // pictures a second; 0: as the source has it
};

// What is burnt into every picture of one view (VID-4). Letters are at least 28 px high at 720 lines, in an opaque box.
struct Caption {
  std::string identifier;  // the camera's, six letters of the code alphabet
  std::string code;        // the resident's short code, four letters
  std::string viewer;      // the viewer's user id
};

// One coded picture: an H.264 access unit in Annex B form, Constrained Baseline, decodable in the order delivered. A key
// frame carries its parameter sets.
struct AccessUnit {
  Bytes data;
  bool key_frame = false;
  std::uint64_t capture_mono_ms = 0;  // CLOCK_MONOTONIC_RAW when the source gave the picture
};

struct ViewSettings {
  Caption caption;
  unsigned bitrate_kbit = 800;
  // The trusted time for the caption, "2026-11-22 20:15:07Z". Called on a media thread, once a picture; thread-safe.
  std::function<std::string()> utc_text;
  // Takes each access unit. Called on a media thread, in order; must not block; never after the View is destroyed.
  std::function<void(AccessUnit)> deliver;
};

// A running camera with one encoder for one viewer. Destroying it stops the pictures and closes the camera before it
// returns. Threads: thread-bound to the thread that opened it.
class View {
 public:
  virtual ~View() = default;

  // The first failure since the start: camera gone, encoder stopped, no picture for two seconds. Empty while all is well.
  // Drives the source's own events as well (a recording starts anew here), so call it at least twice a second.
  virtual std::optional<Error> failure() = 0;

  // Takes effect with the next picture. kbit a second, 50-20000.
  virtual void set_bitrate(unsigned kbit) = 0;

  // The next picture is a key frame.
  virtual void request_key_frame() = 0;
};

// A source that can be opened. Holds nothing open itself.
class Camera {
 public:
  virtual ~Camera() = default;

  // Opens the source and starts delivering. Fails with kUnavailable ("camera_fault") when the device is absent or busy.
  virtual Result<std::unique_ptr<View>> open(const ViewSettings& settings) = 0;
};

// Loads every plug-in, font and encoder a view needs and codes one picture of nothing, so that no library is loaded later,
// when the process has confined itself. Call once, before any other function here. Never opens a camera.
Result<void> prepare();

// A camera for `settings`; refuses kinds this board was not built with.
Result<std::unique_ptr<Camera>> make_camera(const SourceSettings& settings);

}  // namespace tillsyn::camera
