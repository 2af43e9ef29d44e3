#include "firmware/camera/source.h"

#include <map>

namespace tillsyn::camera {
namespace {

std::map<std::string, SourceFactory>& factories() {
  static std::map<std::string, SourceFactory> all;
  return all;
}

// What the camera is to deliver, best first: the described size and rate, then the size, then whatever it has. Without
// it v4l2src takes the largest picture that the camera can, at two a second if need be.
GstCaps* mode_of(const SourceSettings& settings) {
  std::string size;
  if (settings.width != 0) size += ",width=" + std::to_string(settings.width);
  if (settings.height != 0) size += ",height=" + std::to_string(settings.height);
  const std::string rate = settings.frame_rate != 0 ? ",framerate=" + std::to_string(settings.frame_rate) + "/1" : "";
  std::string text;
  for (const std::string& demand : {size + rate, size, std::string()})
    for (const char* format : {"video/x-raw", "image/jpeg"}) text += (text.empty() ? "" : ";") + (format + demand);
  return gst_caps_from_string(text.c_str());
}

// A camera of the kernel's (UVC, CSI bridges): V4L2. MJPEG and raw cameras both work: decodebin picks.
class V4l2Source : public Source {
 public:
  explicit V4l2Source(SourceSettings settings) : settings_(std::move(settings)) { g_weak_ref_init(&pool_, nullptr); }
  ~V4l2Source() override {
    release_pool();
    g_weak_ref_clear(&pool_);
  }
  V4l2Source(const V4l2Source&) = delete;
  V4l2Source& operator=(const V4l2Source&) = delete;

  std::string description() const override {
    return "v4l2src name=source do-timestamp=true ! capsfilter name=mode ! decodebin";
  }

  Result<void> configure(GstBin* pipeline) override {
    GstElement* source = gst_bin_get_by_name(pipeline, "source");
    g_object_set(source, "device", settings_.path.c_str(), nullptr);
    watch_pool(source);
    gst_object_unref(source);
    GstElement* mode = gst_bin_get_by_name(pipeline, "mode");
    GstCaps* caps = mode_of(settings_);
    g_object_set(mode, "caps", caps, nullptr);
    gst_caps_unref(caps);
    gst_object_unref(mode);
    return {};
  }

 private:
  void watch_pool(GstElement* source) {
    GstPad* pad = gst_element_get_static_pad(source, "src");
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer self) {
          // One that was copied comes from no pool.
          if (GstBufferPool* pool = GST_PAD_PROBE_INFO_BUFFER(info)->pool)
            g_weak_ref_set(&static_cast<V4l2Source*>(self)->pool_, pool);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    gst_object_unref(pad);
  }

  // v4l2src of GStreamer 1.22, which Debian 12 has, forgets a reference to its pool of buffers, and with that a
  // descriptor of the camera, which then stays held for ever. When the pipeline is gone the forgotten one is the last.
  void release_pool() {
    const gpointer pool = g_weak_ref_get(&pool_);
    if (pool == nullptr) return;
    if (G_OBJECT(pool)->ref_count == 2) g_object_unref(pool);
    g_object_unref(pool);
  }

  SourceSettings settings_;
  GWeakRef pool_;
};

}  // namespace

void register_source(const std::string& kind, SourceFactory factory) { factories()[kind] = std::move(factory); }

std::unique_ptr<Source> make_source(const SourceSettings& settings) {
  if (settings.kind == "v4l2") return std::make_unique<V4l2Source>(settings);
  const auto found = factories().find(settings.kind);
  return found == factories().end() ? nullptr : found->second(settings);
}

}  // namespace tillsyn::camera
