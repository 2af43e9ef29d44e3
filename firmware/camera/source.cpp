#include "firmware/camera/source.h"

#include <map>

namespace tillsyn::camera {
namespace {

std::map<std::string, SourceFactory>& factories() {
  static std::map<std::string, SourceFactory> all;
  return all;
}

// A camera of the kernel's (UVC, CSI bridges): V4L2. MJPEG and raw cameras both work: decodebin picks.
class V4l2Source : public Source {
 public:
  explicit V4l2Source(std::string device) : device_(std::move(device)) {}

  std::string description() const override { return "v4l2src name=source do-timestamp=true ! decodebin"; }

  Result<void> configure(GstBin* pipeline) override {
    GstElement* source = gst_bin_get_by_name(pipeline, "source");
    g_object_set(source, "device", device_.c_str(), nullptr);
    gst_object_unref(source);
    return {};
  }

 private:
  std::string device_;
};

}  // namespace

void register_source(const std::string& kind, SourceFactory factory) { factories()[kind] = std::move(factory); }

std::unique_ptr<Source> make_source(const SourceSettings& settings) {
  if (settings.kind == "v4l2") return std::make_unique<V4l2Source>(settings.path);
  const auto found = factories().find(settings.kind);
  return found == factories().end() ? nullptr : found->second(settings);
}

}  // namespace tillsyn::camera
