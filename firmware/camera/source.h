#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "firmware/camera/camera.h"

namespace tillsyn::camera {

// One way of getting raw pictures into the pipeline.
class Source {
 public:
  virtual ~Source() = default;

  // The head of the pipeline in gst-launch syntax, without any text from outside (paths are set in `configure`).
  virtual std::string description() const = 0;

  // Sets properties on the parsed elements and opens what must be held open. Reason: "camera_fault".
  virtual Result<void> configure(GstBin* pipeline) = 0;

  // The stream has ended; true if the source has started over, so that it is no failure.
  virtual bool restart(GstElement*) { return false; }
};

using SourceFactory = std::function<std::unique_ptr<Source>(const SourceSettings&)>;

// Adds a kind of source to the one every board has, "v4l2".
void register_source(const std::string& kind, SourceFactory factory);

// Registers what this board adds: sources_bench.cpp on the bench, sources_none.cpp on every other board.
void register_board_sources();

// nullptr if this board has no such kind.
std::unique_ptr<Source> make_source(const SourceSettings& settings);

}  // namespace tillsyn::camera
