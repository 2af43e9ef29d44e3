#include "firmware/camera/pipeline.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <array>
#include <atomic>
#include <ctime>
#include <mutex>

namespace tillsyn::camera {
namespace {

constexpr std::uint64_t kSilenceMs = 2000;     // no picture for longer than this is a fault
constexpr std::size_t kPicturesUnderWay = 64;  // between source and encoder's end there are never more

// Text above, user id below, each in an opaque box. The encoder: zerolatency, no B-frames, one slice thread; the VBV holds
// 0.4 s so that the first picture is capped too.
constexpr const char* kCaptionAndEncoder =
    " ! videoconvert ! videoscale ! capsfilter name=size ! identity name=captured"
    " ! textoverlay name=top shaded-background=true shading-value=255 auto-resize=false halignment=left valignment=top"
    "     xpad=12 ypad=12 draw-shadow=false draw-outline=false"
    " ! textoverlay name=bottom shaded-background=true shading-value=255 auto-resize=false halignment=left"
    "     valignment=bottom xpad=12 ypad=12 draw-shadow=false draw-outline=false"
    " ! x264enc name=encoder tune=zerolatency speed-preset=veryfast bframes=0 key-int-max=30 threads=1 byte-stream=true"
    "     vbv-buf-capacity=400 option-string=nal-hrd=none"
    " ! video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au";

std::uint64_t monotonic_raw_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

struct ElementUnref {
  void operator()(GstElement* element) const { gst_object_unref(element); }
};
using ElementRef = std::unique_ptr<GstElement, ElementUnref>;

ElementRef element_of(GstBin* pipeline, const char* name) { return ElementRef(gst_bin_get_by_name(pipeline, name)); }

Error camera_fault(const std::string& message) { return {Code::kUnavailable, "camera_fault", message}; }

Error error_of(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  Error out = camera_fault(std::string("the camera's pipeline stopped: ") + (error != nullptr ? error->message : "unknown"));
  g_clear_error(&error);
  return out;
}

// When each picture under way was captured, by its running time: the encoder moves presentation times, never those.
// Written at the pipeline's head, read at its end.
class CaptureTimes {
 public:
  void put(GstClockTime running, std::uint64_t mono_ms) {
    const std::lock_guard lock(mutex_);
    entries_[next_++ % entries_.size()] = {running, mono_ms};
  }

  // The newest of that time: a source that starts over begins its running time anew.
  std::optional<std::uint64_t> find(GstClockTime running) {
    const std::lock_guard lock(mutex_);
    std::uint64_t newest = 0;
    for (const auto& entry : entries_) {
      if (entry.running == running) newest = std::max(newest, entry.mono_ms);
    }
    return newest == 0 ? std::nullopt : std::optional(newest);
  }

 private:
  struct Entry {
    GstClockTime running = GST_CLOCK_TIME_NONE;
    std::uint64_t mono_ms = 0;
  };
  std::mutex mutex_;
  std::array<Entry, kPicturesUnderWay> entries_;
  std::size_t next_ = 0;
};

GstClockTime running_time(const GstSegment* segment, GstBuffer* buffer) {
  return gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
}

GstClockTime running_time(GstPad* pad, GstBuffer* buffer) {
  GstEvent* event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
  if (event == nullptr) return GST_CLOCK_TIME_NONE;
  const GstSegment* segment = nullptr;
  gst_event_parse_segment(event, &segment);
  const GstClockTime out = running_time(segment, buffer);
  gst_event_unref(event);
  return out;
}

class GstView : public View {
 public:
  GstView(std::unique_ptr<Source> source, ViewSettings settings) : source_(std::move(source)), settings_(std::move(settings)) {}
  ~GstView() override {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  GstView(const GstView&) = delete;
  GstView& operator=(const GstView&) = delete;

  Result<void> start(const SourceSettings& source_settings);
  std::optional<Error> failure() override;
  void set_bitrate(unsigned kbit) override { g_object_set(element("encoder").get(), "bitrate", kbit, nullptr); }
  void request_key_frame() override;
  void wait_for_end();

 private:
  GstBin* bin() { return GST_BIN(pipeline_.get()); }
  ElementRef element(const char* name) { return element_of(bin(), name); }
  void connect();
  void handle(GstMessage* message);
  void on_captured(GstBuffer* buffer, GstPad* pad);
  GstFlowReturn on_coded(GstSample* sample);

  std::unique_ptr<Source> source_;
  ViewSettings settings_;
  ElementRef pipeline_;
  ElementRef top_;
  CaptureTimes times_;
  std::atomic<std::uint64_t> last_picture_ms_ = 0;
  std::optional<Error> failure_;
  std::string shown_;        // media thread only
  int caption_height_ = 0;   // media thread only
};

// The pipeline of a view that ends in `sink`, at rest.
Result<ElementRef> build(const Source& source, const std::string& sink) {
  GError* error = nullptr;
  ElementRef pipeline(gst_parse_launch(pipeline_text(source, sink).c_str(), &error));
  if (error == nullptr && pipeline) return pipeline;
  const std::string why = error != nullptr ? error->message : "unknown";
  g_clear_error(&error);
  return camera_fault("the pipeline cannot be built: " + why);
}

Result<void> GstView::start(const SourceSettings& source_settings) {
  TILLSYN_TRY(built, build(*source_, "appsink name=sink sync=false max-buffers=8 drop=false"));
  pipeline_ = std::move(built);
  TILLSYN_CHECK(source_->configure(bin()));
  configure_pipeline(bin(), source_settings, settings_);
  connect();
  // Does not wait for the first picture: whoever opens a camera goes on judging meanwhile. An absent device fails here, what
  // goes wrong later comes through failure().
  last_picture_ms_ = monotonic_raw_ms();
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    return failure().value_or(camera_fault("the camera does not open"));
  }
  return {};
}

// Takes note of each picture where it enters, and of what the encoder makes of it.
void GstView::connect() {
  top_ = element("top");
  GstPad* pad = gst_element_get_static_pad(element("captured").get(), "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* at, GstPadProbeInfo* info, gpointer self) {
        static_cast<GstView*>(self)->on_captured(GST_PAD_PROBE_INFO_BUFFER(info), at);
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
  gst_object_unref(pad);

  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = [](GstAppSink* sink, gpointer self) {
    return static_cast<GstView*>(self)->on_coded(gst_app_sink_pull_sample(sink));
  };
  gst_app_sink_set_callbacks(GST_APP_SINK(element("sink").get()), &callbacks, this, nullptr);
}

// The caption is drawn here, by the trusted clock, not by an overlay that would show the machine's own time.
void GstView::on_captured(GstBuffer* buffer, GstPad* pad) {
  times_.put(running_time(pad, buffer), monotonic_raw_ms());
  if (caption_height_ == 0) {
    GstCaps* caps = gst_pad_get_current_caps(pad);
    GstVideoInfo video;
    if (caps != nullptr && gst_video_info_from_caps(&video, caps)) caption_height_ = GST_VIDEO_INFO_HEIGHT(&video);
    gst_clear_caps(&caps);
    set_caption_font(bin(), caption_height_);
  }
  std::string text = settings_.caption.identifier + " " + settings_.caption.code + " " + settings_.utc_text();
  if (text == shown_) return;
  shown_ = std::move(text);
  g_object_set(top_.get(), "text", shown_.c_str(), nullptr);
}

GstFlowReturn GstView::on_coded(GstSample* sample) {
  if (sample == nullptr) return GST_FLOW_EOS;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstMapInfo map;
  const auto captured = times_.find(running_time(gst_sample_get_segment(sample), buffer));
  // A picture whose capture time is unknown cannot be judged, so it is never sent.
  if (captured && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    last_picture_ms_ = monotonic_raw_ms();
    AccessUnit unit{Bytes(map.data, map.data + map.size), !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT), *captured};
    gst_buffer_unmap(buffer, &map);
    settings_.deliver(std::move(unit));
  }
  gst_sample_unref(sample);
  return GST_FLOW_OK;
}

void GstView::handle(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: failure_ = error_of(message); break;
    case GST_MESSAGE_EOS:
      if (!source_->restart(pipeline_.get())) failure_ = camera_fault("the camera's stream ended");
      break;
    default: break;
  }
}

std::optional<Error> GstView::failure() {
  GstBus* bus = gst_element_get_bus(pipeline_.get());
  while (!failure_) {
    GstMessage* message = gst_bus_pop(bus);
    if (message == nullptr) break;
    handle(message);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  if (!failure_ && monotonic_raw_ms() - last_picture_ms_ > kSilenceMs) failure_ = camera_fault("no picture for two seconds");
  return failure_;
}

void GstView::request_key_frame() {
  const ElementRef sink = element("sink");
  gst_element_send_event(sink.get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

// At most five seconds.
void GstView::wait_for_end() {
  GstBus* bus = gst_element_get_bus(pipeline_.get());
  const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GstMessage* message = gst_bus_timed_pop_filtered(bus, 5 * GST_SECOND, wanted); message != nullptr) {
    handle(message);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
}

class GstCamera : public Camera {
 public:
  explicit GstCamera(SourceSettings settings) : settings_(std::move(settings)) {}

  Result<std::unique_ptr<View>> open(const ViewSettings& view_settings) override {
    auto view = std::make_unique<GstView>(make_source(settings_), view_settings);
    TILLSYN_CHECK(view->start(settings_));
    return std::unique_ptr<View>(std::move(view));
  }

 private:
  SourceSettings settings_;
};

// Codes pictures of nothing through the very elements of a view.
class NothingSource : public Source {
 public:
  std::string description() const override { return "videotestsrc num-buffers=2 ! video/x-raw,width=320,height=240"; }
  Result<void> configure(GstBin*) override { return {}; }
};

}  // namespace

std::string pipeline_text(const Source& source, const std::string& sink) {
  return source.description() + kCaptionAndEncoder + " ! " + sink;
}

void configure_pipeline(GstBin* pipeline, const SourceSettings& source, const ViewSettings& view) {
  std::string caps = "video/x-raw,format=I420,pixel-aspect-ratio=1/1";
  if (source.width != 0) caps += ",width=" + std::to_string(source.width);
  if (source.height != 0) caps += ",height=" + std::to_string(source.height);
  GstCaps* size = gst_caps_from_string(caps.c_str());
  g_object_set(element_of(pipeline, "size").get(), "caps", size, nullptr);
  gst_caps_unref(size);
  g_object_set(element_of(pipeline, "bottom").get(), "text", view.caption.viewer.c_str(), nullptr);
  g_object_set(element_of(pipeline, "encoder").get(), "bitrate", view.bitrate_kbit, nullptr);
}

void set_caption_font(GstBin* pipeline, int lines) {
  // DejaVu's capitals are 0.73 of its size: 0.055 of the height gives 29 px capitals at 720 lines.
  const int pixels = std::max(20, (lines * 55 + 999) / 1000);
  const std::string font = "DejaVu Sans Mono Bold " + std::to_string(pixels) + "px";
  for (const char* name : {"top", "bottom"}) {
    g_object_set(element_of(pipeline, name).get(), "font-desc", font.c_str(), nullptr);
  }
}

Result<void> prepare() {
  GError* error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) {
    const std::string why = error != nullptr ? error->message : "unknown";
    g_clear_error(&error);
    return camera_fault("GStreamer does not start: " + why);
  }
  register_board_sources();
  std::atomic<int> coded = 0;
  ViewSettings settings{{"234678", "ACDE", "prepare"}, 200, [] { return std::string("1970-01-01 00:00:00Z"); },
                        [&coded](AccessUnit) { ++coded; }};
  GstView view(std::make_unique<NothingSource>(), settings);
  TILLSYN_CHECK(view.start({}));
  view.wait_for_end();
  if (coded == 0) return view.failure().value_or(camera_fault("the encoder does not work"));
  return {};
}

Result<std::unique_ptr<Camera>> make_camera(const SourceSettings& settings) {
  const auto source = make_source(settings);
  if (!source) return refused("camera_fault", "this board has no camera source of kind " + settings.kind);
  // Made once and not used: V4L2's plug-in, when it is loaded, looks for devices through a socket, which a confined
  // program that waited for its first view would not survive.
  TILLSYN_TRY(plugins, build(*source, "fakesink"));
  plugins.reset();
  return std::unique_ptr<Camera>(std::make_unique<GstCamera>(settings));
}

}  // namespace tillsyn::camera
