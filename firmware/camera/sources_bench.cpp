// Sources of the bench board: a recorded file played as if live, and a synthetic room. Compiled into no other board.
#include <fcntl.h>
#include <gst/video/video.h>
#include <unistd.h>

#include <ctime>

#include "firmware/camera/room.h"
#include "firmware/camera/source.h"

namespace tillsyn::camera {
namespace {

// Plays the file in its own pace, for ever: at its end it starts over.
class BenchRecordingSource : public Source {
 public:
  explicit BenchRecordingSource(std::string path) : path_(std::move(path)) {}

  std::string description() const override { return "filesrc name=source ! decodebin ! clocksync"; }

  Result<void> configure(GstBin* pipeline) override {
    GstElement* source = gst_bin_get_by_name(pipeline, "source");
    g_object_set(source, "location", path_.c_str(), nullptr);
    gst_object_unref(source);
    return {};
  }

  bool restart(GstElement* pipeline) override {
    return gst_element_seek_simple(pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0) != FALSE;
  }

 private:
  std::string path_;
};

GstPadProbeReturn paint(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  GstCaps* caps = gst_pad_get_current_caps(pad);
  GstVideoInfo video;
  GstVideoFrame frame;
  if (caps != nullptr && gst_video_info_from_caps(&video, caps) && gst_video_frame_map(&frame, &video, buffer, GST_MAP_WRITE)) {
    const auto width = static_cast<unsigned>(GST_VIDEO_FRAME_WIDTH(&frame));
    const auto height = static_cast<unsigned>(GST_VIDEO_FRAME_HEIGHT(&frame));
    const auto stride = static_cast<unsigned>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0));
    auto* luma = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
    paint_room({luma, static_cast<std::size_t>(stride) * height}, width, height, stride, GST_BUFFER_PTS(buffer) / GST_MSECOND);
    gst_video_frame_unmap(&frame);
  }
  gst_clear_caps(&caps);
  return GST_PAD_PROBE_OK;
}

// Holds `path` open while it plays, so that "a camera is open" looks the same from outside as with a device.
class BenchRoomSource : public Source {
 public:
  explicit BenchRoomSource(SourceSettings settings) : settings_(std::move(settings)) {}
  ~BenchRoomSource() override {
    if (held_ >= 0) close(held_);
  }
  BenchRoomSource(const BenchRoomSource&) = delete;
  BenchRoomSource& operator=(const BenchRoomSource&) = delete;

  std::string description() const override {
    const auto or_else = [](unsigned value, unsigned standard) { return std::to_string(value == 0 ? standard : value); };
    return "videotestsrc name=source is-live=true pattern=black ! video/x-raw,format=I420,width=" +
           or_else(settings_.width, 1280) + ",height=" + or_else(settings_.height, 720) + ",framerate=" +
           or_else(settings_.frame_rate, 15) + "/1";
  }

  Result<void> configure(GstBin* pipeline) override {
    held_ = open(settings_.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (held_ < 0) return Error{Code::kUnavailable, "camera_fault", "the room's file cannot be opened"};
    GstElement* source = gst_bin_get_by_name(pipeline, "source");
    GstPad* pad = gst_element_get_static_pad(source, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, paint, nullptr, nullptr);
    gst_object_unref(pad);
    gst_object_unref(source);
    return {};
  }

 private:
  SourceSettings settings_;
  int held_ = -1;
};

}  // namespace

void register_board_sources() {
  register_source("recording", [](const SourceSettings& s) { return std::make_unique<BenchRecordingSource>(s.path); });
  register_source("room", [](const SourceSettings& s) { return std::make_unique<BenchRoomSource>(s); });
}

}  // namespace tillsyn::camera
