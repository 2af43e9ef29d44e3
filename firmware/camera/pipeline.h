#pragma once

#include <gst/gst.h>

#include <string>

#include "firmware/camera/camera.h"
#include "firmware/camera/source.h"

namespace tillsyn::camera {

// The pipeline that turns a source's pictures into captioned and coded ones: shared by a view and by the measurement of
// what a view costs besides it.

// In gst-launch syntax, ending in the element `sink`. Named elements: "captured" (passes each picture on unchanged), "top"
// and "bottom" (the caption's lines), "encoder".
std::string pipeline_text(const Source& source, const std::string& sink);

// Sets size, the caption's lower line and the bit rate on the parsed text.
void configure_pipeline(GstBin* pipeline, const SourceSettings& source, const ViewSettings& view);

// The caption's font for pictures of `lines` lines: capitals of at least 28 px at 720 (VID-4).
void set_caption_font(GstBin* pipeline, int lines);

}  // namespace tillsyn::camera
